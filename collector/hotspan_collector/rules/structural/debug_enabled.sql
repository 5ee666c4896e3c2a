/*
id = "debug_enabled"
title = "DEBUG in production"
finds = "Django's DEBUG on in an environment that is named like production."
why = """
With DEBUG an error page shows settings, code and variables to whoever causes the error, every
statement is kept in memory, and templates are read anew for each request.
"""
about = "service"
when = "rule_entries WHERE kind = 'web' AND match(environment, {production:String}) AND NOT match(environment, {not_production:String})"
needs = ["hotspan.django.debug"]
opens_at_once = true
critical_hits_per_hour = 0
summary = "DEBUG is on in {environment}"

[settings.production]
type = "String"
default = "(?i)^(.*[-_./ ])?(prod|production|prd|live)([-_./ ].*|[0-9]+)?$"
unit = "regular expression"
reason = "Environments whose users are customers, by deployment.environment.name."

[settings.not_production]
type = "String"
default = "(?i)(^|[-_./ ])(pre|non|not|no)[-_./ ]?(prod|production|prd|live)|like"
unit = "regular expression"
reason = "Names that say production, and mean something else."

[suggestions]
off = "Set DEBUG = False in the settings of {environment}, and ALLOWED_HOSTS to its names; read it from the environment so that the default is off. `manage.py check --deploy` finds what else is open."
*/
SELECT
    span.trace_id AS trace_id,
    span.entry_span_id AS entry_span_id,
    '' AS identity,
    'critical' AS severity,
    'high' AS confidence,
    1 AS count,
    toUInt64(0) AS wasted_ns,
    '' AS statement,
    map(
        'environment', entry.environment) AS details,
    []::Array(String) AS missing,
    [span.span_id] AS span_ids,
    'off' AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM (SELECT trace_id, entry_span_id, span_id FROM rule_spans WHERE is_entry AND attributes['hotspan.django.debug'] = 'true') AS span
INNER JOIN rule_entries AS entry ON entry.trace_id = span.trace_id AND entry.entry_span_id = span.entry_span_id
WHERE match(entry.environment, {production:String}) AND NOT match(entry.environment, {not_production:String})
