-- How each rule did when it last ran; the canary is the one in brackets.
CREATE TABLE IF NOT EXISTS rule_runs
(
    rule LowCardinality(String),
    ran_at DateTime64(3, 'UTC'),
    duration_ms Float64,
    -- that it looked at
    entries UInt64,
    -- since the collector's start
    failures UInt64,
    -- why it failed when it last ran; '' when it did not
    error String,
    written_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY rule;

-- Values of rules that were set over the API, by scope.
CREATE TABLE IF NOT EXISTS rule_overrides
(
    id String,
    rule LowCardinality(String),
    -- conditions and values, as a table `[[rules.NAME.where]]` of the settings file, as JSON
    scope String,
    by String,
    reason String,
    set_at DateTime64(3, 'UTC'),
    deleted Bool
)
ENGINE = ReplacingMergeTree(set_at)
ORDER BY id;
