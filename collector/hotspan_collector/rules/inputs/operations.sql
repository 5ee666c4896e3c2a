-- Repeated operations: what an entry does again and again, and which kind of repetition it is. Every
-- group gets one kind, so that the rules about repetition exclude each other; each of them selects
-- its kind and applies its thresholds.

-- name: create_rule_statements
-- The shape of each statement among the spans of a tick.
CREATE OR REPLACE TABLE rule_statements
(
    fingerprint UInt64,
    -- the longest text of this shape, with placeholders if there is one
    example String,
    normalised String,
    -- read, insert, update, delete, '', or other: many rows are written, and no loop would do it
    verb LowCardinality(String),
    tables Array(String),
    table String,
    -- the first column that is compared
    column String,
    -- of a read: rows, count, aggregate, exists
    shape LowCardinality(String),
    -- values are sent apart from the text, which therefore does not tell them
    parameterised Bool,
    -- one page after the other of one listing
    paged Bool,
    -- many rows at once: lists of keys, lists of rows, INSERT … SELECT
    bulk Bool,
    -- of a read: takes locks
    locking Bool,
    -- of a read: returns all rows that match, as they are
    complete Bool,
    -- of a read: equal for a COUNT and a listing of the same rows
    rows_key UInt64,
    -- columns compared with `=` to a value
    compared Array(String),
    -- the table has a column for the parent of a row
    is_tree Bool,
    -- the column is a primary key by its name
    by_key Bool
)
ENGINE = Memory;

-- name: create_rule_queries
-- The queries of a tick, with what the enrichment says about them as numbers (0: not known).
CREATE OR REPLACE TABLE rule_queries
(
    trace_id FixedString(16),
    entry_span_id FixedString(8),
    entry_kind LowCardinality(String),
    span_id FixedString(8),
    start_ns UInt64,
    end_ns UInt64,
    duration_ns UInt64,
    fingerprint UInt64,
    text UInt64,
    -- parameters, text and database
    param UInt64,
    params UInt64,
    -- each parameter, where hotspan.db.param_hashes tells them one by one: a list of hashes in hex,
    -- in the order of the parameters
    each_param Array(UInt64),
    source UInt64,
    target UInt64,
    relation LowCardinality(String),
    model LowCardinality(String),
    -- `IN` with several keys
    is_list Bool,
    -- one call, many rows
    is_batch Bool,
    returned_rows UInt32,
    code_file LowCardinality(String),
    code_line UInt32,
    code_function LowCardinality(String)
)
ENGINE = Memory;

-- name: create_rule_repeated
-- Statements that an entry runs again and again.
CREATE OR REPLACE TABLE rule_repeated
(
    trace_id FixedString(16),
    entry_span_id FixedString(8),
    fingerprint UInt64
)
ENGINE = Memory;

-- name: create_rule_listings
-- The listings of each entry that runs one, by table, with their rows.
CREATE OR REPLACE TABLE rule_listings
(
    listed_trace_id FixedString(16),
    listed_entry_span_id FixedString(8),
    listings Array(Tuple(table_name String, most UInt32))
)
ENGINE = Memory;

-- name: create_rule_paced
-- Operations that are done again and again, and not at once.
CREATE OR REPLACE TABLE rule_paced
(
    trace_id FixedString(16),
    entry_span_id FixedString(8),
    operation UInt64
)
ENGINE = Memory;

-- name: create_rule_polls
-- Operations that wait for something: the same again after a pause in which nothing happens.
CREATE OR REPLACE TABLE rule_polls
(
    trace_id FixedString(16),
    entry_span_id FixedString(8),
    operation UInt64
)
ENGINE = Memory;

-- name: create_rule_reads
-- Reads that may be one too many: those that no group has claimed.
CREATE OR REPLACE TABLE rule_reads
(
    trace_id FixedString(16),
    entry_span_id FixedString(8),
    entry_kind LowCardinality(String),
    span_id FixedString(8),
    start_ns UInt64,
    end_ns UInt64,
    duration_ns UInt64,
    fingerprint UInt64,
    param UInt64,
    params UInt64,
    source UInt64,
    -- its parameters are known
    known Bool,
    shape LowCardinality(String),
    complete Bool,
    rows_key UInt64,
    tables Array(String),
    code_file LowCardinality(String),
    code_line UInt32,
    code_function LowCardinality(String)
)
ENGINE = Memory;

-- name: create_rule_counts
-- Each COUNT, with the listing of the same rows.
CREATE OR REPLACE TABLE rule_counts
(
    trace_id FixedString(16),
    entry_span_id FixedString(8),
    span_id FixedString(8),
    start_ns UInt64,
    -- of the listing
    fingerprint UInt64,
    param UInt64,
    source UInt64,
    listing_span_id FixedString(8),
    -- the parameters are known to be the same
    certain Bool
)
ENGINE = Memory;

-- name: create_rule_groups
CREATE OR REPLACE TABLE rule_groups
(
    -- the id of the rule that may report it, or ''
    kind LowCardinality(String),
    trace_id FixedString(16),
    entry_span_id FixedString(8),
    entry_kind LowCardinality(String),
    identity String,
    fingerprint UInt64,
    n UInt32,
    -- how many different things it was done for, as far as is known
    instances UInt32,
    -- of a chain: the longest walk
    steps UInt32,
    -- of calls: 0 one after the other … 1 all at the same time
    overlap Float64,
    wasted_ns UInt64,
    confidence LowCardinality(String),
    statement String,
    relation LowCardinality(String),
    -- of reads as in rule_statements, of writes the verb
    shape LowCardinality(String),
    -- how rows are reached: forward, reverse, many_to_many, or ''
    follows LowCardinality(String),
    details Map(LowCardinality(String), String),
    missing Array(LowCardinality(String)),
    span_ids Array(FixedString(8)),
    code_file LowCardinality(String),
    code_line UInt32,
    code_function LowCardinality(String)
)
ENGINE = Memory;

-- name: fill_rule_statements
-- when: rule_spans WHERE is_query
INSERT INTO rule_statements
WITH
    '%\\(\\w+\\)s|%s|\\$\\d+|\\?|[^:]:[a-zA-Z_]\\w*' AS placeholder,
    '(?:%\\(\\w+\\)s|%s|\\$\\d+|\\?|:[a-zA-Z_]\\w*|\\d+|\'|TRUE\\b|FALSE\\b)' AS value,
    seen AS
    (
        -- Others may have written values where one has placeholders: whose values are not known
        -- decides, for the shape is everybody's.
        SELECT db_fingerprint, max((multiSearchAny(db_statement, ['%s', '%(', '$1', '?']), length(db_statement), db_statement)).3 AS text
        FROM rule_spans
        WHERE is_query
        GROUP BY db_fingerprint
    ),
    -- functions with a FROM of their own
    plain AS
    (
        SELECT
            db_fingerprint,
            text,
            replaceRegexpAll(text, '(?is)/\\*.*?\\*/|\\b(?:EXTRACT|SUBSTRING|TRIM|OVERLAY)\\s*\\([^()]*\\bFROM\\b', ' ') AS sql,
            normalizeQuery(replaceRegexpAll(text, placeholder, '1')) AS folded,
            multiIf(
                match(sql, '(?i)^[\\s(]*SELECT\\b'), 'read',
                match(sql, '(?i)^\\s*INSERT\\b'), 'insert',
                match(sql, '(?i)^\\s*REPLACE\\b'), 'insert',
                match(sql, '(?i)^\\s*UPDATE\\b'), 'update',
                match(sql, '(?i)^\\s*DELETE\\b'), 'delete',
                match(sql, '(?i)^\\s*(?:TRUNCATE|MERGE|COPY|LOAD\\s+DATA|REFRESH\\s+MATERIALIZED)\\b'), 'other',
                -- WITH … SELECT, WITH … UPDATE
                match(sql, '(?i)^\\s*WITH\\b'), multiIf(
                    match(sql, '(?i)\\bINSERT INTO\\b'), 'insert',
                    match(sql, '(?i)\\bUPDATE\\s+\\S+\\s+SET\\b'), 'update',
                    match(sql, '(?i)\\bDELETE FROM\\b'), 'delete',
                    'read'),
                '') AS verb,
            multiIf(
                verb = 'insert', extractAll(sql, '(?i)\\bINTO\\s+([\\w."`\\[\\]]+)'),
                verb = 'update', extractAll(sql, '(?i)\\bUPDATE\\s+(?:ONLY\\s+)?([\\w."`\\[\\]]+)'),
                verb = 'delete', extractAll(sql, '(?i)\\bDELETE\\s+FROM\\s+(?:ONLY\\s+)?([\\w."`\\[\\]]+)'),
                verb = 'other', extractAll(sql, '(?i)^\\s*(?:TRUNCATE(?:\\s+TABLE)?|MERGE\\s+INTO|COPY|LOAD\\s+DATA\\b.*?\\bINTO\\s+TABLE|REFRESH\\s+MATERIALIZED\\s+VIEW(?:\\s+CONCURRENTLY)?)\\s+(?:ONLY\\s+)?([\\w."`\\[\\]]+)'),
                extractAll(sql, '(?i)\\b(?:FROM|JOIN)\\s+([\\w."`\\[\\]]+)')) AS named,
            arrayMap(t -> lower(splitByChar('.', replaceRegexpAll(t, '["`\\[\\]]', ''))[-1]), named) AS tables,
            extract(sql, '(?is)\\bWHERE\\b(.*?)(?:\\bGROUP BY\\b|\\bORDER BY\\b|\\bLIMIT\\b|\\bFOR UPDATE\\b|\\bFETCH\\b|$)') AS condition,
            extractAll(condition, concat('["`\\]]?(\\w+)["`\\]]?\\s*=\\s*', value)) AS equal_columns,
            extract(condition, '(?i)["`\\]]?(\\w+)["`\\]]?\\s+IN\\s*\\([^()]+,') AS listed,
            -- A condition on a key beside a list is what a loop over its owners has.
            arrayExists(c -> match(c, '(?i)^id$|_id$') AND c != 'content_type_id', equal_columns) AS has_owner,
            match(condition, '(?i)["`.\\s(](id|pk|\\w+_id)["`]?\\s*(>|BETWEEN)') AS ranges_over_keys,
            -- A range of keys, or as many rows as a LIMIT says, is no single row.
            NOT has_owner AND match(condition, concat('(?is)\\bBETWEEN\\b|>=?\\s*', value, '.*<=?\\s*', value)) AS is_range,
            match(condition, '(?i)=\\s*ANY\\b') OR (listed != '' AND (
                match(sql, '_prefetch_related_val')
                OR NOT has_owner AND (empty(equal_columns) OR match(listed, '(?i)^id$|_id$|^pk$|^uuid$')))) AS lists_keys
        FROM seen
    )
SELECT
    db_fingerprint,
    text,
    folded,
    verb,
    tables,
    if(empty(tables), '', replaceRegexpAll(named[1], '["`\\[\\]]', '')),
    if(notEmpty(equal_columns), equal_columns[1], extract(condition, '["`\\]]?(\\w+)["`\\]]?\\s*(?:=|IN\\b)')) AS column,
    multiIf(
        match(sql, '(?i)^\\s*SELECT\\s+COUNT\\('), 'count',
        match(sql, '(?i)^\\s*SELECT\\s+(\\w*\\(\\s*)*(SUM|AVG|MIN|MAX|STDDEV\\w*|VAR\\w*)\\('), 'aggregate',
        match(sql, '(?i)^\\s*SELECT\\s+(1|\\(1\\)|%s) AS "a"'), 'exists',
        'rows') AS shape,
    match(text, placeholder),
    match(sql, '(?i)\\bOFFSET\\s')
        OR (match(condition, concat('[<>]=?\\s*\\(?', value))
            AND match(sql, '(?i)\\bORDER BY\\b') AND match(sql, '(?i)\\bLIMIT\\s') AND NOT match(sql, '(?i)\\bLIMIT 1\\b')
            AND NOT has_owner),
    multiIf(
        verb = 'insert', match(sql, '(?is)\\)\\s*,\\s*\\(') OR match(sql, '(?is)\\bINTO\\b.*\\bSELECT\\b'),
        verb = 'read', lists_keys OR (is_range AND shape = 'rows' AND ranges_over_keys),
        lists_keys OR match(condition, '(?i)\\bSELECT\\b') OR NOT has_owner AND (
            empty(equal_columns) AND (is_range OR match(condition, concat('[<>]=?\\s*', value)))
            OR ranges_over_keys
            OR (verb = 'delete' AND match(sql, '(?i)\\bLIMIT\\s')))),
    match(sql, '(?i)\\bFOR (NO KEY )?(UPDATE|SHARE)\\b'),
    verb = 'read' AND shape = 'rows' AND NOT match(sql, '(?i)\\bLIMIT\\b|\\bGROUP BY\\b|\\bDISTINCT\\b|\\bFETCH\\b|\\bUNION\\b')
        AND NOT match(extract(sql, '(?is)^\\s*SELECT\\b(.*?)\\bFROM\\b'), '(?i)\\b(SUM|AVG|MIN|MAX|COUNT|STDDEV\\w*|VAR\\w*|\\w+_AGG|BOOL_\\w+|EVERY)\\('),
    if(verb = 'read' AND notEmpty(tables), cityHash64(tables[1], trim(extract(folded, '(?is)\\bWHERE\\b(.*?)(?:\\bGROUP BY\\b|\\bORDER BY\\b|\\bLIMIT\\b|\\bFOR UPDATE\\b|$)'))), 0),
    equal_columns,
    match(sql, '(?i)["`.]parent_?(id)?["`, ]'),
    match(column, '(?i)^(id|pk|uuid|guid)$')
FROM plain

-- name: fill_rule_queries
-- when: rule_spans WHERE is_query
INSERT INTO rule_queries
SELECT
    trace_id, entry_span_id, entry_kind, span_id, start_ns, end_ns, duration_ns,
    db_fingerprint,
    -- Comments may carry the trace's id.
    cityHash64(if(position(db_statement, '/*') > 0, replaceRegexpAll(db_statement, '(?s)/\\*.*?\\*/', ''), db_statement)) AS text_hash,
    -- the same of another database is another one
    cityHash64(text_hash, param_hash, db_alias),
    if(param_hash = '', 0, cityHash64(param_hash)),
    if(param_hashes = '', [], arrayMap(h -> cityHash64(h), extractAll(param_hashes, '[0-9a-f]{8,16}'))),
    if(source_key = '', 0, cityHash64(source_key)),
    if(target_key = '', 0, cityHash64(target_key)),
    attributes['hotspan.orm.relation'],
    attributes['hotspan.orm.model'],
    position(db_statement, 'IN (') > 0 AND match(db_statement, 'IN \\([^()]+,'),
    toUInt32OrZero(attributes['db.operation.batch.size']) > 1,
    returned_rows,
    code_file, code_line, code_function
FROM
(
    SELECT
        *,
        attributes['hotspan.db.param_hash'] AS param_hash,
        attributes['hotspan.db.alias'] AS db_alias,
        attributes['hotspan.db.param_hashes'] AS param_hashes,
        attributes['hotspan.orm.source_key'] AS source_key,
        attributes['hotspan.orm.target_key'] AS target_key
    FROM rule_spans
    WHERE is_query
        -- A query below a query is the same one, seen by two libraries.
        AND (trace_id, parent_span_id) NOT IN (SELECT trace_id, span_id FROM rule_spans WHERE is_query)
)

-- name: fill_rule_repeated
-- when: rule_queries
INSERT INTO rule_repeated
SELECT trace_id, entry_span_id, fingerprint
FROM rule_queries
GROUP BY trace_id, entry_span_id, fingerprint
HAVING count() >= 3

-- name: fill_rule_listings
-- when: rule_repeated
INSERT INTO rule_listings
SELECT trace_id, entry_span_id, groupArray((table_name, most))
FROM
(
    SELECT trace_id, entry_span_id, tables[1] AS table_name, max(returned_rows) AS most
    FROM rule_queries AS queries
    INNER JOIN rule_statements AS shapes ON shapes.fingerprint = queries.fingerprint
    WHERE verb = 'read' AND shape = 'rows' AND notEmpty(tables) AND NOT by_key AND length(compared) < 2
        AND (trace_id, entry_span_id) IN (SELECT trace_id, entry_span_id FROM rule_repeated)
    GROUP BY trace_id, entry_span_id, table_name
)
GROUP BY trace_id, entry_span_id

-- name: fill_rule_paced
-- when: rule_spans WHERE entry_duration_ns >= 100000000 AND NOT is_entry
INSERT INTO rule_paced
WITH
    100000000 AS long_pause_ns,
    20000000 AS short_pause_ns
SELECT trace_id, entry_span_id, if(is_call, cityHash64(http_method, peer, url), db_fingerprint) AS operation
FROM rule_spans
WHERE NOT is_entry AND kind IN ('client', 'producer') AND entry_duration_ns >= long_pause_ns
GROUP BY trace_id, entry_span_id, operation
HAVING operation != 0 AND count() >= 3 AND max(start_ns) - min(start_ns) >= (count() - 1) * short_pause_ns

-- name: fill_rule_polls
-- when: rule_paced
INSERT INTO rule_polls
WITH
    100000000 AS long_pause_ns,
    -- A sleep that short is told from work by its evenness.
    20000000 AS short_pause_ns,
    operations AS
    (
        SELECT
            trace_id, entry_span_id, start_ns, end_ns, duration_ns,
            if(is_call, cityHash64(http_method, peer, url), db_fingerprint) AS operation,
            -- what is asked for is known to be the same
            is_call OR attributes['hotspan.db.param_hash'] != '' AS is_told
        FROM rule_spans
        WHERE NOT is_entry AND kind IN ('client', 'producer')
            AND (trace_id, entry_span_id) IN (SELECT trace_id, entry_span_id FROM rule_paced)
    ),
    waiting AS
    (
        SELECT
            trace_id, entry_span_id, operation,
            min(start_ns) AS first_ns,
            max(start_ns) AS last_ns,
            arrayPopFront(arrayDifference(arraySort(groupArray(toInt64(start_ns))))) AS pauses
        FROM operations
        WHERE (trace_id, entry_span_id, operation) IN (SELECT trace_id, entry_span_id, operation FROM rule_paced)
        GROUP BY trace_id, entry_span_id, operation
        HAVING arrayMin(pauses) >= if(min(is_told) AND arrayMax(pauses) <= 2 * arrayMin(pauses), short_pause_ns, long_pause_ns)
    ),
    -- Who computes between two reads does not wait for their answer to change.
    computed AS
    (
        SELECT trace_id, entry_span_id, 1e6 * toFloat64OrZero(attributes['hotspan.cpu_ms']) AS cpu_ns
        FROM rule_spans
        WHERE is_entry AND (trace_id, entry_span_id) IN (SELECT trace_id, entry_span_id FROM waiting)
    ),
    around AS
    (
        SELECT
            waiting.trace_id AS trace_id,
            waiting.entry_span_id AS entry_span_id,
            waiting.operation AS operation,
            any(waiting.last_ns - waiting.first_ns) AS length_ns,
            sumIf(other.duration_ns, other.start_ns BETWEEN waiting.first_ns AND waiting.last_ns) AS busy_ns,
            countIf(other.start_ns BETWEEN waiting.first_ns AND waiting.last_ns
                AND (other.trace_id, other.entry_span_id, other.operation) NOT IN (SELECT trace_id, entry_span_id, operation FROM waiting)) AS others
        FROM waiting
        INNER JOIN operations AS other
            ON other.trace_id = waiting.trace_id AND other.entry_span_id = waiting.entry_span_id
        GROUP BY ALL
    )
SELECT around.trace_id, around.entry_span_id, around.operation
FROM around
LEFT JOIN computed ON computed.trace_id = around.trace_id AND computed.entry_span_id = around.entry_span_id
WHERE others = 0 AND busy_ns <= 0.3 * length_ns AND computed.cpu_ns <= 0.5 * length_ns

-- name: fill_rule_groups
-- when: rule_repeated
-- The classifier, by entry, statement, relation and call site. Never by what stands between, by
-- parent or by a window of time: each of these conditions hides real cases.
INSERT INTO rule_groups
WITH
    5 AS enough,
    3 AS walk_steps,
    0.8 AS walk_share,
    0.25 AS product_tolerance,
    repeated AS
    (
        SELECT
            trace_id, entry_span_id, fingerprint, relation, model, code_file, code_line, code_function,
            any(entry_kind) AS kind_of_entry,
            count() AS n,
            countIf(is_list) AS lists,
            countIf(is_batch) AS batches,
            uniqExact(param) AS distinct_params,
            uniqExact(text) AS texts,
            countIf(params != 0) AS hashed,
            countIf(source != 0) AS sourced,
            uniqExactIf(source, source != 0) AS sources,
            uniqExactIf(target, target != 0) AS targets,
            uniqExactForEach(each_param) AS distinct_each,
            intervalLengthSum(start_ns, end_ns) AS total_ns,
            max(duration_ns) AS longest_ns,
            arraySort(groupArray((start_ns, span_id, source, target))) AS ordered
        FROM rule_queries
        -- Most statements of an entry stand alone: they need no sets and arrays.
        WHERE (trace_id, entry_span_id, fingerprint) IN (SELECT trace_id, entry_span_id, fingerprint FROM rule_repeated)
        GROUP BY trace_id, entry_span_id, fingerprint, relation, model, code_file, code_line, code_function
        HAVING n >= 3
    ),
    classified AS
    (
        SELECT
            *,
            total_ns - least(longest_ns, total_ns) AS lost_ns,
            hashed > 0 AS enriched,
            hashed = n OR NOT parameterised AS params_known,
            -- how many distinct things it was done for
            multiIf(sourced > 0, sources, params_known, distinct_params, n) AS things,
            -- A step goes on where the one before has arrived; steps that go on make a walk.
            if(sourced = 0, [], arrayMap(
                (step, arrived) -> arrived != 0 AND step.3 = arrived,
                ordered,
                arrayPushFront(arrayPopBack(arrayMap(step -> step.4, ordered)), toUInt64(0)))) AS goes_on,
            arrayMap(walk -> length(walk), arraySplit(on -> NOT on, goes_on)) AS walks,
            arraySum(arrayFilter(steps -> steps >= walk_steps, walks)) AS walked,
            -- Two loops, one in the other: as many statements as pairs of their values.
            arrayFlatten(arrayMap(
                i -> arrayFilter(
                    pair -> pair.1 >= 2 AND pair.2 >= 2
                        AND abs(toFloat64(pair.1 * pair.2) - n) <= product_tolerance * n
                        AND distinct_params >= (1 - product_tolerance) * pair.1 * pair.2,
                    arrayMap(j -> (distinct_each[i], distinct_each[j]), range(i + 1, least(length(distinct_each), 8) + 1))),
                range(1, least(length(distinct_each), 8)))) AS by_params,
            -- Each of several instances was asked for each of several values.
            if(sources >= 2 AND sources < n AND hashed = n AND empty(distinct_each) AND targets = 0
                    AND distinct_params = n AND n % sources = 0 AND n >= 2 * sources,
                [(sources, toUInt64(intDiv(n, sources)))], []) AS by_sources,
            -- Compared are the keys of two tables, and both were listed in the same entry: the
            -- loops are over these listings.
            arrayFilter(rows -> rows != -1, arrayMap(
                column_name -> ifNull(toInt64(arrayFirstOrNull(
                    listing -> listing.1 = replaceRegexpOne(lower(column_name), '_id$', '')
                        OR endsWith(listing.1, replaceRegexpOne(lower(column_name), '_id$', '')),
                    listings).2), -1),
                arrayFilter(c -> endsWith(lower(c), '_id'), compared))) AS axes,
            if(empty(distinct_each) AND sourced = 0 AND hashed = n AND distinct_params >= (1 - product_tolerance) * n
                    AND length(axes) = 2
                    AND NOT has(axes, 1)
                    AND (axes[1] * axes[2] = 0 OR abs(toFloat64(axes[1] * axes[2]) - n) <= product_tolerance * n),
                [(toUInt64(axes[1]), toUInt64(axes[2]))], []) AS by_listings,
            arrayConcat(by_params, by_sources, by_listings) AS factors,
            -- One statement for a list of keys or rows, again for the next list: chunks, as they
            -- should be. A list of one, again and again, is none.
            bulk AND (lists * 2 > n OR verb = 'insert' OR NOT match(example, '(?i)\\bIN \\(') OR match(example, '(?i)\\bIN \\(SELECT\\b')) AS chunked,
            NOT params_known OR distinct_params <= 2 AS may_wait,
            multiIf(
                may_wait AND (trace_id, entry_span_id, fingerprint) IN (SELECT trace_id, entry_span_id, operation FROM rule_polls), '',
                chunked OR batches * 2 > n, '',
                verb != 'read', 'write_loop',
                -- no rows: locks, sequences, settings, and the QUOTE(…) of Django's query log on SQLite
                empty(tables), '',
                -- the first page has no OFFSET; a page of each of many lists has a key
                paged AND texts > 1, '',
                paged AND sourced = 0 AND parameterised AND NOT params_known, '',
                paged AND sourced = 0 AND params_known AND distinct_params > 1, '',
                walked >= walk_share * n, 'query_chain',
                notEmpty(factors), 'query_product',
                -- with the relation: by the instances it was walked from, however often these repeat
                sourced > 0 AND (sources >= enough OR sources = n), 'n_plus_one',
                sourced = 0 AND params_known AND (distinct_params >= enough OR distinct_params = n), 'n_plus_one',
                -- on stock spans nobody knows
                sourced = 0 AND NOT params_known AND NOT match(normalised, '(?i)\\bSKIP LOCKED\\b'), 'n_plus_one',
                '') AS group_kind
        FROM repeated
        INNER JOIN (SELECT * EXCEPT (fingerprint), fingerprint AS shape_of FROM rule_statements) AS shapes ON shape_of = fingerprint
        LEFT JOIN rule_listings ON listed_trace_id = trace_id AND listed_entry_span_id = entry_span_id
        WHERE verb NOT IN ('', 'other')
    )
SELECT
    group_kind,
    trace_id, entry_span_id, kind_of_entry,
    if(relation = '', toString(fingerprint), concat(toString(fingerprint), ':', relation)),
    fingerprint,
    n,
    things,
    if(empty(walks), 0, arrayMax(walks)),
    0,
    lost_ns,
    multiIf(
        group_kind = 'write_loop', 'high',
        group_kind = 'query_chain', 'high',
        group_kind = 'query_product', if(notEmpty(by_params), 'high', 'medium'),
        sourced > 0, 'high',
        params_known, multiIf(distinct_params >= 0.8 * n, 'high', distinct_params >= 0.5 * n, 'medium', 'low'),
        'medium'),
    normalised,
    relation,
    if(verb = 'read', shape, verb),
    multiIf(
        shape != 'rows', '',
        targets > 0, 'forward',
        match(example, '(?i)\\bJOIN\\b') AND match(column, '_id$'), 'many_to_many',
        by_key, 'forward',
        match(column, '_id$'), 'reverse',
        relation != '', 'forward',
        ''),
    mapFilter((name, value) -> value != '', map(
        'table', table,
        'column', column,
        'entry_kind', if(kind_of_entry = 'web', 'request', toString(kind_of_entry)),
        'queries', toString(n),
        'total_ms', toString(round(total_ns / 1e6, 3)),
        'mean_ms', toString(round(total_ns / n / 1e6, 3)),
        'relation', toString(relation),
        'owner', if(model = '', 'the objects', toString(model)),
        'instances', if(sourced > 0, toString(sources), ''),
        'distinct_parameters', if(params_known, toString(distinct_params), ''),
        'outer', if(notEmpty(factors), if(factors[1].1 = 0, 'some', toString(factors[1].1)), ''),
        'inner', if(notEmpty(factors), if(factors[1].2 = 0, 'some', toString(factors[1].2)), ''),
        'walks', if(walked > 0, toString(length(walks)), ''),
        'depth', if(walked > 0, toString(arrayMax(walks)), ''),
        -- what stock spans cannot tell from it
        'perhaps', if(params_known OR sourced > 0 OR verb != 'read', '', arrayStringConcat(arrayFilter(x -> x != '', [
            'duplicate_query',
            if(by_key AND is_tree, 'query_chain', ''),
            if(length(compared) >= 2 AND arrayExists(i -> n % i = 0, range(2, toUInt32(sqrt(least(n, 10000))) + 1)), 'query_product', '')]), ', ')))),
    arrayFilter(x -> x != '', [
        if(params_known OR verb != 'read', '', 'hotspan.db.param_hash'),
        if(group_kind = 'query_product' AND empty(by_params), 'hotspan.db.param_hashes', ''),
        if(enriched OR sourced > 0 OR verb != 'read', '', 'hotspan.orm.relation'),
        if(code_file = '', 'code.file.path', '')]),
    arrayMap(step -> step.2, arraySlice(ordered, 1, 20)),
    code_file, code_line, code_function
FROM classified
WHERE group_kind != ''

-- name: fill_rule_reads
-- when: rule_queries
INSERT INTO rule_reads
SELECT
    trace_id, entry_span_id, entry_kind, span_id, start_ns, end_ns, duration_ns,
    fingerprint, param, params, source, params != 0 OR NOT parameterised,
    shape, complete, rows_key, tables, code_file, code_line, code_function
FROM rule_queries AS queries
INNER JOIN rule_statements AS shapes ON shapes.fingerprint = queries.fingerprint
WHERE verb = 'read' AND notEmpty(tables) AND NOT locking
    AND (trace_id, entry_span_id, fingerprint, relation, code_file, code_line) NOT IN
    (
        SELECT trace_id, entry_span_id, fingerprint, relation, code_file, code_line
        FROM rule_groups
        WHERE kind IN ('query_chain', 'query_product') OR (kind = 'n_plus_one' AND instances >= 5)
    )
    AND (trace_id, entry_span_id, fingerprint) NOT IN (SELECT trace_id, entry_span_id, operation FROM rule_polls)

-- name: fill_rule_counts
-- when: rule_reads WHERE shape = 'count'
INSERT INTO rule_counts
WITH
    counted AS
    (
        SELECT
            counts.trace_id AS trace,
            counts.entry_span_id AS entry,
            counts.span_id AS count_span_id,
            any(counts.start_ns) AS counted_ns,
            -- the first after it, or else the first
            argMin(
                (listings.fingerprint, listings.param, listings.source, listings.span_id, counts.known AND listings.known),
                (listings.start_ns < counts.start_ns, listings.start_ns, listings.span_id)) AS listing
        FROM (SELECT * FROM rule_reads WHERE shape = 'count') AS counts
        INNER JOIN (SELECT * FROM rule_reads WHERE complete) AS listings
            ON listings.trace_id = counts.trace_id
            AND listings.entry_span_id = counts.entry_span_id
            AND listings.rows_key = counts.rows_key
        WHERE counts.params = listings.params
            -- Nobody knows the parameters of stock spans: it must at least have been counted first.
            AND ((counts.known AND listings.known) OR listings.start_ns > counts.start_ns)
        GROUP BY trace, entry, count_span_id
    )
SELECT trace, entry, count_span_id, counted_ns, listing.1, listing.2, listing.3, listing.4, listing.5
FROM counted
-- On stock spans: the first COUNT, if there is not one more of them than of listings.
QUALIFY listing.5 OR (
    row_number() OVER (PARTITION BY trace, entry, listing.1, listing.5 ORDER BY counted_ns, count_span_id) = 1
    AND (count() OVER (PARTITION BY trace, entry, listing.1, listing.5) = 1
        OR uniqExact(listing.4) OVER (PARTITION BY trace, entry, listing.1, listing.5) > 1))

-- name: fill_rule_groups_of_duplicates
-- when: (SELECT 1 FROM rule_counts UNION ALL SELECT 1 FROM rule_reads GROUP BY trace_id, entry_span_id, fingerprint, param, source HAVING count() > 1)
-- The same read with the same parameters, wherever in the entry it stands, if nothing was written to
-- its tables in between. A COUNT of rows and the listing of the same rows are the same read.
INSERT INTO rule_groups
WITH
    reads AS
    (
        SELECT trace_id, entry_span_id, fingerprint AS read, param AS parameters, source AS origin, true AS certain, span_id
        FROM rule_reads
        WHERE known AND span_id NOT IN (SELECT span_id FROM rule_counts WHERE certain)
        UNION ALL
        SELECT trace_id, entry_span_id, fingerprint, param, source, certain,
            arrayJoin(if(certain, [span_id], [span_id, listing_span_id]))
        FROM rule_counts
    ),
    again AS
    (
        SELECT trace_id, entry_span_id, read, parameters, origin, certain, arrayJoin(groupArray(span_id)) AS span_id
        FROM reads
        GROUP BY trace_id, entry_span_id, read, parameters, origin, certain
        HAVING count() > 1
    ),
    written AS
    (
        SELECT trace_id, entry_span_id, arrayJoin(shapes.tables) AS table_name, start_ns AS written_ns
        FROM rule_queries AS queries
        INNER JOIN rule_statements AS shapes ON shapes.fingerprint = queries.fingerprint
        WHERE shapes.verb NOT IN ('', 'read')
    ),
    candidates AS
    (
        SELECT
            again.trace_id AS trace_id, again.entry_span_id AS entry_span_id, again.read AS read,
            again.parameters AS parameters, again.origin AS origin, again.certain AS certain,
            query.span_id AS span_id, query.start_ns AS start_ns, query.end_ns AS end_ns,
            query.duration_ns AS duration_ns, query.entry_kind AS entry_kind,
            query.shape AS shape, query.tables AS tables,
            query.code_file AS code_file, query.code_line AS code_line, query.code_function AS code_function
        FROM again
        INNER JOIN rule_reads AS query ON query.trace_id = again.trace_id AND query.span_id = again.span_id
    ),
    -- what was written before each of them
    dated AS
    (
        SELECT * EXCEPT (table_name, last_ns), max(last_ns) AS last_written_ns
        FROM
        (
            SELECT reading.*, written.written_ns AS last_ns
            FROM (SELECT * EXCEPT (tables), arrayJoin(tables) AS table_name FROM candidates) AS reading
            ASOF LEFT JOIN written
                ON written.trace_id = reading.trace_id
                AND written.entry_span_id = reading.entry_span_id
                AND written.table_name = reading.table_name
                AND written.written_ns <= reading.start_ns
        )
        GROUP BY ALL
    ),
    runs AS
    (
        SELECT
            trace_id, entry_span_id, read, parameters, origin, last_written_ns,
            any(entry_kind) AS kind_of_entry,
            count() AS n,
            max(shape = 'count') AND min(shape = 'rows') = 0 AS has_count,
            min(certain) AS is_certain,
            intervalLengthSum(start_ns, end_ns) AS total_ns,
            max(duration_ns) AS longest_ns,
            arraySort(groupArray((start_ns, span_id, code_file, code_line, code_function))) AS ordered
        FROM dated
        GROUP BY trace_id, entry_span_id, read, parameters, origin, last_written_ns
        HAVING n > 1
    ),
    joined AS
    (
        SELECT
            trace_id, entry_span_id, read,
            any(kind_of_entry) AS kind_of_entry,
            sum(runs.n) AS n,
            count() AS distinct_reads,
            max(has_count) AS counted,
            min(runs.is_certain) AS is_certain,
            sum(runs.total_ns) AS total_ns,
            sum(runs.total_ns - least(runs.total_ns, longest_ns)) AS lost_ns,
            arraySort(arrayFlatten(groupArray(runs.ordered))) AS ordered,
            -- where it is read again
            min(runs.ordered[2]) AS second
        FROM runs
        GROUP BY trace_id, entry_span_id, read
    )
SELECT
    'duplicate_query',
    trace_id, entry_span_id, kind_of_entry,
    toString(read),
    read,
    n,
    distinct_reads,
    0,
    0,
    lost_ns,
    if(is_certain, 'high', 'medium'),
    shapes.normalised,
    '',
    if(counted, 'count', 'rows'),
    '',
    mapFilter((name, value) -> value != '', map(
        'table', shapes.table,
        'entry_kind', if(kind_of_entry = 'web', 'request', toString(kind_of_entry)),
        'queries', toString(n),
        'distinct_parameters', if(is_certain, toString(distinct_reads), ''),
        'places', if(ordered[1].3 = '', '', toString(arrayUniq(arrayMap(o -> (o.3, o.4), ordered)))),
        'first_at', if(ordered[1].3 = '', '', concat(ordered[1].3, ':', toString(ordered[1].4))),
        'total_ms', toString(round(total_ns / 1e6, 3)))),
    arrayFilter(x -> x != '', [
        if(is_certain, '', 'hotspan.db.param_hash'),
        if(second.3 = '', 'code.file.path', '')]),
    arrayMap(o -> o.2, arraySlice(ordered, 1, 20)),
    second.3, second.4, second.5
FROM joined
INNER JOIN rule_statements AS shapes ON shapes.fingerprint = joined.read

-- name: fill_rule_groups_of_cache
-- when: rule_spans WHERE kind = 'client' AND db_system IN ('redis', 'memcached', 'valkey')
-- One command after the other to Redis or memcached. Pipelines are one span with many commands.
INSERT INTO rule_groups
WITH
    commands AS
    (
        SELECT
            *,
            upper(extract(db_statement, '^\\s*(\\w+)')) AS command,
            replaceRegexpAll(extract(db_statement, '^\\s*\\w+\\s+(\\S+)'), '[0-9a-fA-F]{8,}(-[0-9a-fA-F]+)*|\\d+', '?') AS pattern
        FROM rule_spans
        WHERE kind = 'client' AND db_system IN ('redis', 'memcached', 'valkey')
            AND position(db_statement, '\n') = 0
            AND attributes['db.redis.pipeline_length'] IN ('', '1')
    ),
    repeated AS
    (
        SELECT
            trace_id, entry_span_id, command, pattern, code_file, code_line, code_function,
            any(entry_kind) AS kind_of_entry,
            any(db_system) AS system,
            count() AS n,
            intervalLengthSum(start_ns, end_ns) AS total_ns,
            max(duration_ns) AS longest_ns,
            arraySort(groupArray((start_ns, span_id))) AS ordered
        FROM commands
        WHERE command IN ('GET', 'GETS', 'HGET', 'HGETALL', 'HMGET', 'HEXISTS', 'EXISTS', 'GETEX', 'TTL', 'SISMEMBER', 'SMEMBERS', 'ZSCORE', 'LRANGE', 'STRLEN', 'JSON.GET')
            AND (trace_id, entry_span_id, db_fingerprint) NOT IN (SELECT trace_id, entry_span_id, operation FROM rule_polls)
        GROUP BY trace_id, entry_span_id, command, pattern, code_file, code_line, code_function
        HAVING n >= 3
    )
SELECT
    'n_plus_one_cache',
    trace_id, entry_span_id, kind_of_entry,
    concat(command, ' ', pattern),
    0, n, n, 0, 0,
    total_ns - least(longest_ns, total_ns),
    if(code_file = '', 'medium', 'high'),
    concat(command, ' ', pattern),
    '', command, '',
    map(
        'command', command,
        'key', pattern,
        'system', toString(system),
        'entry_kind', if(kind_of_entry = 'web', 'request', toString(kind_of_entry)),
        'commands', toString(n),
        'total_ms', toString(round(total_ns / 1e6, 3))),
    if(code_file = '', ['code.file.path'], []),
    arrayMap(o -> o.2, arraySlice(ordered, 1, 20)),
    code_file, code_line, code_function
FROM repeated

-- name: fill_rule_groups_of_calls
-- when: (SELECT 1 FROM rule_calls GROUP BY trace_id, entry_span_id HAVING count() >= 3)
-- One call a row to the same place. Where one library calls by another, the outer span is the call.
INSERT INTO rule_groups
WITH
    5 AS enough,
    placed AS
    (
        SELECT
            *,
            extract(url, '^\\w+://(?:[^/@]*@)?([^/?#]+)') AS host,
            if(http_method = '',
                concat(name, if(peer = '', '', concat(' ', peer))),
                concat(
                    http_method, ' ',
                    if(host = '', peer, host),
                    if(attributes['url.template'] != '', attributes['url.template'],
                        -- the path without what differs from call to call
                        arrayStringConcat(arrayMap(
                            part -> if(match(part, '[0-9@%]|^[A-Z_-]{2,}$|.{25}') AND NOT match(part, '^v\\d+$'), '{id}', part),
                            splitByChar('/', path(url))), '/')))) AS own_place,
            -- the same again because the first one failed
            toUInt32OrZero(attributes['hotspan.client.retry']) > 0 AS is_retry,
            http_status >= 500 OR http_status IN (408, 425, 429) OR status = 'error' AS has_failed
        FROM rule_spans
        WHERE is_call
            AND (trace_id, parent_span_id) NOT IN (SELECT trace_id, span_id FROM rule_spans WHERE is_call)
            AND (trace_id, entry_span_id, cityHash64(http_method, peer, url)) NOT IN (SELECT trace_id, entry_span_id, operation FROM rule_polls)
    ),
    -- Names in a path are told from endpoints by what stands around them: the same collection
    -- before, the same word after (/people/anna/card). A word that ends a path may be an endpoint.
    calls AS
    (
        SELECT
            *,
            if(
                match(own_place, '/(?:api|rest|v\\d+)/[^/]+/[^/]+/?$'),
                own_place,
                replaceRegexpOne(own_place, '^(\\S+ [^/]+(?:/(?:api|rest|v\\d+))*/[^/{]+)/[^/{]+(/[^/{]+/?)$', '\\1/{id}\\2')) AS named_place,
            if(uniqExact(own_place) OVER (PARTITION BY trace_id, entry_span_id, named_place, code_file, code_line) >= enough, named_place, own_place) AS place
        FROM placed
    ),
    repeated AS
    (
        SELECT
            trace_id, entry_span_id, place, code_file, code_line, code_function,
            any(entry_kind) AS kind_of_entry,
            count() AS n,
            uniqExact(url) AS urls,
            -- pages of one listing, parts of one file: each follows from the one before
            uniqExact(path(url)) = 1 AND min(match(url, '(?i)[?&](page|page_?(no|number|num|token)|offset|skip|cursor|after|continuation_?token|next_?token|start_?(cursor|after)|marker|part_?number)=')) AS paged,
            countIf(has_failed) AS failures,
            intervalLengthSum(start_ns, end_ns) AS total_ns,
            sum(duration_ns) AS sum_ns,
            max(duration_ns) AS longest_ns,
            arraySort(groupArray((start_ns, end_ns, span_id))) AS ordered,
            -- calls that begin before the one before has ended (the first is compared with itself)
            arrayCount(
                (call, before) -> call.1 < before.2,
                ordered,
                arrayPushFront(arrayPopBack(ordered), ordered[1])) - 1 AS overlapping
        FROM calls
        WHERE NOT is_retry
            AND NOT (http_method = '' AND match(name, '(?i)\\.(List\\w+|Scan|ReceiveMessage|GetRecords|UploadPart\\w*)$'))
        GROUP BY trace_id, entry_span_id, place, code_file, code_line, code_function
        HAVING n >= 3 AND NOT paged AND NOT (urls = 1 AND failures >= n - 1)
    )
SELECT
    'n_plus_one_http',
    trace_id, entry_span_id, kind_of_entry,
    place,
    0, n, urls, 0,
    overlapping / (n - 1),
    total_ns - least(longest_ns, total_ns),
    if(code_file = '', 'medium', 'high'),
    '',
    '', if(urls = 1, 'same', 'rows'), '',
    map(
        'target', place,
        'entry_kind', if(kind_of_entry = 'web', 'request', toString(kind_of_entry)),
        'calls', toString(n),
        'distinct_urls', toString(urls),
        'overlap_percent', toString(round(100 * (1 - total_ns / greatest(1, sum_ns)))),
        'total_ms', toString(round(total_ns / 1e6, 3))),
    if(code_file = '', ['code.file.path'], []),
    arrayMap(o -> o.3, arraySlice(ordered, 1, 20)),
    code_file, code_line, code_function
FROM repeated
