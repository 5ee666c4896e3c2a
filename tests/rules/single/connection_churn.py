"""connection_churn: connections opened over and over.

Three connections to one database in an entry are two too many.
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

TIME_ZONE = query("SELECT set_config('TimeZone', %s, false)")
MYSQL_LEVEL = query(
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", attributes={"db.system.name": "mysql"}
)


def connect(*, ms=4, system="postgresql", database="shop", site=None):
    return query(
        "connect",
        ms=ms,
        site=site,
        attributes={
            "db.system.name": system,
            "db.query.text": "",
            "db.namespace": database,
            "hotspan.db.connect": True,
        },
    )


OF_DJANGO = query(
    "SELECT 1 FROM t", attributes={"hotspan.db.alias": "default", "db.namespace": "shop"}
)

CASES = [
    guilty(
        "a driver of one's own, connected at each access",
        web(*(connect(site=SITE) for _ in range(4))),
        Expected(
            severity="warning",
            confidence="high",
            count=4,
            suggestion="own",
            says="cached_property",
            line=42,
            missing=(),
            wasted_ms=12,
        ),
    ),
    guilty(
        "Django's connection, closed in between",
        task(*(node for _ in range(3) for node in (connect(), OF_DJANGO))),
        Expected(suggestion="django", says="CONN_MAX_AGE"),
    ),
    guilty(
        "Redis", web(*(connect(system="redis") for _ in range(3))), Expected(suggestion="redis")
    ),
    guilty(
        "stock, PostgreSQL",
        web(*(TIME_ZONE for _ in range(5))),
        Expected(confidence="medium", count=5, missing=("hotspan.db.connect", "code.file.path")),
    ),
    guilty("stock, MySQL", web(*(MYSQL_LEVEL for _ in range(3)))),
    guilty(
        "each connection counts once, whatever is said over it",
        web(*(node for _ in range(3) for node in (connect(), TIME_ZONE))),
        Expected(count=3),
    ),
    clean("two connections", web(connect(), connect())),
    clean(
        "one to each kind of database",
        web(*(connect(system=name) for name in ("mysql", "oracle", "mssql"))),
    ),
    clean("one to each server", web(*(connect(database=name) for name in ("a", "b", "c")))),
    clean("stock, two", web(TIME_ZONE, TIME_ZONE)),
    clean(
        "one, and many statements", web(connect(), *(query("SELECT 1 FROM t") for _ in range(30)))
    ),
    clean(
        "enriched: its statements are not connections",
        web(connect(), *(TIME_ZONE for _ in range(3))),
    ),
    clean(
        "time zones set by the application", web(*(query("SET TIME ZONE 'UTC'") for _ in range(4)))
    ),
]
