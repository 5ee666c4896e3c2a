"""unbounded_result: listings without a page.

A query of a request that returns a thousand rows has no page.
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

LISTING = 'SELECT "c"."id", "c"."name" FROM "c" ORDER BY "c"."name" ASC'
PREFETCH = 'SELECT "i"."id", "i"."order_id" FROM "i" WHERE "i"."order_id" IN (%s, %s, %s)'


def rows(n, text=LISTING, **more):
    return query(text, attributes={"db.response.returned_rows": n}, **more)


CASES = [
    guilty(
        "1200 customers on a page",
        web(rows(1200, ms=8, site=SITE)),
        Expected(
            severity="warning",
            confidence="high",
            count=1,
            suggestion="paginate",
            says="1200 rows",
            line=42,
            missing=(),
            wasted_ms=8,
        ),
    ),
    guilty("a thousand", web(rows(1000)), Expected(confidence="medium")),
    guilty(
        "one column of all",
        web(rows(5000, 'SELECT "c"."amount" FROM "c"')),
        Expected(suggestion="aggregate"),
    ),
    guilty(
        "through a subquery",
        web(
            rows(
                5000,
                LISTING.replace("ORDER", 'WHERE "c"."id" IN (SELECT U0."c_id" FROM "o" U0) ORDER'),
            )
        ),
    ),
    guilty("a common table expression", web(rows(1500, "WITH a AS (SELECT 1) SELECT x, y FROM a"))),
    clean("999 rows", web(rows(999))),
    clean("a page of them", web(rows(50, LISTING + " LIMIT 50"))),
    clean("stock spans do not tell", web(query(LISTING))),
    clean("in a task", task(rows(100_000))),
    clean("in a command", command(rows(100_000))),
    clean("what belongs to the rows of a page", web(rows(50, ms=1), rows(1500, PREFETCH))),
    clean("rows that were written", web(rows(5000, 'UPDATE "c" SET "a" = %s'))),
    clean("read in chunks", web(*(rows(500) for _ in range(6)))),
]
