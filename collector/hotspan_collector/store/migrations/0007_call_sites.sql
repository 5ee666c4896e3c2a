-- One violation may be hit at several places of an entry's code: each is a finding of its own.
ALTER TABLE findings
    ADD COLUMN IF NOT EXISTS site UInt64,
    MODIFY ORDER BY (fingerprint, entry_start, trace_id, entry_span_id, site);
