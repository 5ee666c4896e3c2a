/*
id = "large_response"
title = "Large response, not compressed"
finds = "Responses of text or JSON that leave the process big and uncompressed."
why = """
480 kB of JSON take half a second on a mobile line, 95 kB of it compressed a tenth of that. Whoever
pays for traffic pays five times.
"""
when = "rule_entries WHERE kind = 'web'"
needs = ["http.response.body.size", "http.response.header.content-type", "http.response.header.content-encoding"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "A response of {kilobytes} kB of {type}, not compressed; about {saved_kb} kB could be saved"

[settings.min_bytes]
type = "UInt64"
default = 100000
unit = "bytes"
reason = "What fits into a few packets gains little."

[suggestions]
gzip = "Compress it: django.middleware.gzip.GZipMiddleware as the first of MIDDLEWARE, or gzip or brotli in the proxy before it (for {type}). And ask whether the page needs {kilobytes} kB: a page of rows, fewer columns."
*/
WITH
    large AS
    (
        SELECT
            trace_id,
            entry_span_id,
            span_id,
            attributes,
            -- a captured header is a list, kept as the bytes that came
            greatest(
                toUInt64OrZero(attributes['http.response.body.size']),
                toUInt64OrZero(attributes['http.response_content_length']),
                toUInt64OrZero(extract(attributes['http.response.header.content_length'], '(\\d+)$')),
                toUInt64OrZero(extract(attributes['http.response.header.content-length'], '(\\d+)$'))) AS bytes
        FROM rule_spans
        WHERE is_entry AND entry_kind = 'web' AND http_method != 'HEAD' AND bytes >= {min_bytes:UInt64}
    ),
    responses AS
    (
        SELECT
            *,
            lower(extract(
                concat(attributes['http.response.header.content-type'], attributes['http.response.header.content_type']),
                '(?i)([a-z]+/[a-z0-9.+-]+)')) AS type,
            concat(attributes['http.response.header.content-encoding'], attributes['http.response.header.content_encoding']) AS encoding
        FROM large
    )
SELECT
    trace_id,
    entry_span_id,
    '' AS identity,
    'warning' AS severity,
    'high' AS confidence,
    1 AS count,
    -- the time is lost on the way, not here
    toUInt64(0) AS wasted_ns,
    '' AS statement,
    map(
        'kilobytes', toString(round(bytes / 1000)),
        'saved_kb', toString(round(bytes * 0.8 / 1000)),
        'type', type) AS details,
    []::Array(String) AS missing,
    [span_id] AS span_ids,
    'gzip' AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM responses
WHERE NOT match(encoding, '(?i)gzip|br|deflate|zstd|compress')
    AND match(type, '^text/|[/+](json|xml|javascript|x-javascript|x-ndjson|csv|graphql-response)')
