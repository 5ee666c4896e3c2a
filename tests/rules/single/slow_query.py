"""slow_query: statements that are slow by themselves.

A statement is slow by itself from half a second in a request, two in the background.
"""

from support.rule_cases import (
    SITE,
    Expected,
    clean,
    command,
    guilty,
    query,
    task,
    web,
)

LEDGER = (
    'SELECT "ledger"."id", "ledger"."cents" FROM "ledger" WHERE ("ledger"."status" = %s AND'
    ' "ledger"."booked_day" = %s) ORDER BY "ledger"."reference" ASC'
)
SEARCH = 'SELECT "p"."id" FROM "p" WHERE UPPER("p"."name"::text) LIKE UPPER(%s)'
UPDATE = 'UPDATE "stock" SET "quantity" = %s WHERE "stock"."id" = %s'
LOCK = 'SELECT "o"."id" FROM "o" WHERE "o"."id" = %s LIMIT 21 FOR UPDATE'
INSERT = 'INSERT INTO "audit" ("at") VALUES (%s) RETURNING "audit"."id"'

CASES = [
    guilty(
        "half a second in a request, enriched",
        web(query(LEDGER, ms=500, site=SITE)),
        Expected(
            severity="warning",
            confidence="high",
            count=1,
            suggestion="index",
            says='fields=["status", "booked_day", "reference"]',
            line=42,
            missing=(),
            wasted_ms=500,
        ),
    ),
    guilty(
        "half a second in a request, stock",
        web(query(LEDGER, ms=600)),
        Expected(confidence="medium", missing=("code.file.path",)),
    ),
    guilty(
        "twice from one line is one finding",
        web(query(LEDGER, ms=600, site=SITE), query(LEDGER, ms=700, site=SITE)),
        Expected(count=2, wasted_ms=1300),
    ),
    guilty(
        "only the slow ones of many count",
        web(*(query(LEDGER, ms=5) for _ in range(6)), query(LEDGER, ms=600)),
        Expected(count=1, wasted_ms=600),
    ),
    guilty("an UPDATE", web(query(UPDATE, ms=900)), Expected(suggestion="locking", says="stock")),
    guilty("a SELECT that locks", web(query(LOCK, ms=900)), Expected(suggestion="locking")),
    guilty("an INSERT", web(query(INSERT, ms=900)), Expected(suggestion="insert")),
    guilty("a search", web(query(SEARCH, ms=900)), Expected(suggestion="search")),
    guilty("no column to name", web(query("SELECT now()", ms=900)), Expected(suggestion="other")),
    guilty("five seconds", web(query(LEDGER, ms=5000)), Expected(severity="critical")),
    guilty("two seconds in a task", task(query(LEDGER, ms=2000)), Expected(severity="warning")),
    guilty("two seconds in a command", command(query(LEDGER, ms=2500))),
    guilty(
        "MySQL, the old names",
        web(
            query(
                "SELECT a FROM t WHERE b = %s",
                ms=800,
                attributes={"db.query.text": "", "db.statement": "SELECT a FROM t WHERE b = %s"},
            )
        ),
        Expected(suggestion="index", says='fields=["b"]'),
    ),
    clean("499 ms in a request", web(query(LEDGER, ms=499))),
    clean("1.9 s in a task", task(query(LEDGER, ms=1900))),
    clean("many quick ones are no slow one", web(*(query(LEDGER, ms=40) for _ in range(30)))),
    clean("an index is created", command(query('CREATE INDEX "i" ON "t" ("a")', ms=60_000))),
    clean("a table is altered", command(query('ALTER TABLE "t" ADD COLUMN "a" int', ms=9000))),
    clean("a connection is made", web(query("SELECT set_config('TimeZone', %s, false)", ms=900))),
    clean(
        "waiting for Redis", web(query("BLPOP ?", ms=900, attributes={"db.system.name": "redis"}))
    ),
    clean("a transaction begins when others let it", web(query("BEGIN", ms=900))),
]
