"""over_fetch: many columns of many rows.

Twenty columns of a hundred rows are more than a page shows.
"""

from support.rule_cases import (
    SITE,
    Expected,
    clean,
    guilty,
    query,
    task,
    web,
)


def columns(n, table="chunk"):
    return ", ".join(f'"{table}"."c{number}"' for number in range(n))


WIDE = f'SELECT {columns(23)} FROM "chunk"'
JOINED = (
    f'SELECT {columns(12, "o")}, {columns(12, "c")} FROM "o" INNER JOIN "c" ON ("o"."c" = "c"."id")'
)
# Two columns, of which one is computed from many.
COMPUTED = (
    f'SELECT "o"."id", COALESCE({columns(25)}, %s) AS "first" FROM "o" WHERE "o"."a" IN (%s, %s)'
)


def rows(n, text=WIDE, **more):
    return query(text, attributes={"db.response.returned_rows": n}, **more)


CASES = [
    guilty(
        "23 columns of 120 rows",
        web(rows(120, ms=6, site=SITE)),
        Expected(
            severity="info",
            confidence="high",
            count=1,
            suggestion="narrow",
            says="23 columns of 120 rows",
            line=42,
            missing=(),
            wasted_ms=6,
        ),
    ),
    guilty("a thousand rows", web(rows(1000)), Expected(severity="warning", confidence="medium")),
    guilty("joined", web(rows(100, JOINED)), Expected(suggestion="joined", says="24 columns")),
    guilty("in a task", task(rows(500))),
    guilty("with a comment in front", web(rows(100, f"/* page='x' */ {WIDE}"))),
    guilty("DISTINCT", web(rows(100, WIDE.replace("SELECT", "SELECT DISTINCT")))),
    clean("19 columns", web(rows(500, f'SELECT {columns(19)} FROM "chunk"'))),
    clean("99 rows", web(rows(99))),
    clean("stock spans do not tell", web(query(WIDE))),
    clean("few columns, computed from many", web(rows(500, COMPUTED))),
    clean("a subquery with many columns", web(rows(500, f'SELECT "a"."b" FROM ({WIDE}) AS "a"'))),
    clean(
        "many conditions are no columns",
        web(
            rows(500, ('SELECT "a"."b" FROM "a" WHERE "a"."b" IN (' + ", ".join(["%s"] * 60) + ")"))
        ),
    ),
    clean("rows that were written", task(rows(500, 'INSERT INTO "t" VALUES (%s)'))),
]
