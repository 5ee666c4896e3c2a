"""Batches, control statements and dialects: many statements of one text, right and wrong."""

from rules.entry_spans import EntrySpans
from rules.labelled import (
    CHAIN,
    DUPLICATE,
    ITEMS_OF,
    N_PLUS_ONE,
    WRITES,
    by_id,
    case,
    count,
    in_list,
    select,
)


@case(task="shop.tasks.backfill")
def ranges_of_keys_updated(entry: EntrySpans) -> None:
    sql = (
        'UPDATE "item" SET "total" = ("price" * "n") WHERE ("item"."id" >= %s AND "item"."id" < %s)'
    )
    for batch in range(12):
        entry.query(sql, 1000 * batch, 1000 * batch + 1000)


@case(task="shop.tasks.backfill")
def ranges_of_keys_between(entry: EntrySpans) -> None:
    sql = 'UPDATE "item" SET "currency" = %s WHERE "item"."id" BETWEEN %s AND %s'
    for batch in range(12):
        entry.query(sql, "EUR", 1000 * batch, 1000 * batch + 999)


@case(task="shop.tasks.backfill")
def ranges_of_keys_read(entry: EntrySpans) -> None:
    sql = select("item", '("item"."id" >= %s AND "item"."id" < %s)')
    for batch in range(12):
        entry.query(sql, 1000 * batch, 1000 * batch + 1000)


@case(task="shop.tasks.backfill")
def ranges_of_keys_in_a_state(entry: EntrySpans) -> None:
    sql = (
        'UPDATE "item" SET "state" = %s WHERE ("item"."state" = %s AND "item"."id" > %s '
        'AND "item"."id" <= %s)'
    )
    for batch in range(12):
        entry.query(sql, "new", "old", 500 * batch, 500 * batch + 500)


@case(task="shop.tasks.clean")
def deletes_of_a_thousand_at_a_time(entry: EntrySpans) -> None:
    for _ in range(12):
        entry.query(
            'DELETE FROM "log" WHERE "log"."id" IN (SELECT U0."id" FROM "log" U0 WHERE '
            'U0."at" < %s LIMIT 1000)',
            "2026-01-01",
        )


@case(task="shop.tasks.clean")
def deletes_with_a_limit(entry: EntrySpans) -> None:
    """MySQL's way to delete in batches."""
    for _ in range(12):
        entry.query("DELETE FROM `log` WHERE `log`.`at` < %s LIMIT 1000", "2026-01-01")


@case(task="shop.tasks.export")
def pages_by_two_keys(entry: EntrySpans) -> None:
    sql = (
        'SELECT "o"."id" FROM "o" WHERE ("o"."at" > %s OR ("o"."at" = %s AND "o"."id" > %s)) '
        'ORDER BY "o"."at" ASC, "o"."id" ASC LIMIT 500'
    )
    for page in range(10):
        entry.query(sql, page, page, page)


@case(task="shop.tasks.export")
def pages_by_a_pair(entry: EntrySpans) -> None:
    sql = "SELECT id FROM o WHERE (at, id) > (%s, %s) ORDER BY at, id LIMIT 500"
    for page in range(10):
        entry.query(sql, page, page)


@case(task="shop.tasks.export")
def pages_with_placeholders(entry: EntrySpans) -> None:
    for page in range(10):
        entry.query("SELECT id, name FROM o ORDER BY id LIMIT %s OFFSET %s", 100, 100 * page)


@case(task="shop.tasks.export")
def fetches_from_a_cursor(entry: EntrySpans) -> None:
    for _ in range(20):
        entry.query('FETCH FORWARD 2000 FROM "_django_curs_140_sync_1"')


@case()
def levels_of_a_graph(entry: EntrySpans) -> None:
    """A data loader: one list of keys a level."""
    for keys in (3, 9, 14, 20, 8, 2):
        entry.query(in_list("node", "parent_id", keys), *range(keys))


@case()
def search_path_of_a_tenant(entry: EntrySpans) -> None:
    for number in range(8):
        entry.query("SET search_path = 'tenant_a','public'")
        entry.query(select(f"table_{number}", "id = %s"), number)


@case()
def pings_of_a_pool(entry: EntrySpans) -> None:
    for _ in range(7):
        entry.query("SELECT 1")


@case()
def new_connections(entry: EntrySpans) -> None:
    for number in range(2):
        entry.query("SELECT VERSION(), @@sql_mode, @@default_storage_engine")
        entry.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        entry.query(select(f"table_{number}"))


@case(system="sqlite")
def query_log_of_sqlite(entry: EntrySpans) -> None:
    """With DEBUG, Django asks SQLite to quote the parameters of each statement."""
    for number in range(9):
        entry.query(select(f"table_{number}", "id = %s"), number)
        entry.query("SELECT QUOTE(?), QUOTE(?)", number, "x")


@case(task="shop.tasks.lock")
def locks_taken_by_name(entry: EntrySpans) -> None:
    for key in range(12):
        entry.query("SELECT pg_advisory_xact_lock(%s)", key)


@case()
def transactions_begun_and_ended(entry: EntrySpans) -> None:
    for number in range(8):
        entry.query("BEGIN")
        entry.query(f'INSERT INTO "table_{number}" ("a") VALUES (%s)', number)
        entry.query("COMMIT")


@case(system="mysql")
def upserts_of_many_rows(entry: EntrySpans) -> None:
    sql = (
        "INSERT INTO `stock` (`sku`, `n`) VALUES (%s, %s), (%s, %s), (%s, %s) "
        "ON DUPLICATE KEY UPDATE `n` = VALUES(`n`)"
    )
    for batch in range(8):
        entry.query(sql, batch, 1, batch, 2, batch, 3)


@case()
def unions_of_two_lists(entry: EntrySpans) -> None:
    for state in ("open", "late"):
        entry.query(
            '(SELECT "a"."id" FROM "a" WHERE "a"."s" = %s) UNION (SELECT "b"."id" FROM "b")', state
        )


@case()
def user_and_their_groups(entry: EntrySpans) -> None:
    """What a page with an admin's rights asks for: a statement each."""
    for table in ("auth_user", "auth_group", "django_content_type", "django_site", "profile"):
        entry.query(by_id(table), 1)


@case()
def content_types(entry: EntrySpans) -> None:
    """The cache of content types fills: one query for each of a few models."""
    sql = select(
        "django_content_type",
        '("django_content_type"."app_label" = %s AND "django_content_type"."model" = %s)',
        more=" LIMIT 21",
    )
    for model in ("order", "item", "customer", "branch"):
        entry.query(sql, "shop", model)


@case()
def count_of_a_page_and_the_page_with_joins(entry: EntrySpans) -> None:
    condition = '"shop_order"."customer_id" = %s'
    entry.query(count("shop_order", condition), 7)
    entry.query(select("shop_order", condition, more=" LIMIT 20 OFFSET 40"), 7)
    entry.query(in_list("shop_item", "order_id", 20), *range(20))


@case(enriched={DUPLICATE: 2}, stock={})
def read_again_after_a_write_to_another_table(entry: EntrySpans) -> None:
    entry.query(by_id("cart"), 1)
    entry.query('INSERT INTO "visit" ("cart_id") VALUES (%s)', 1)
    entry.query(by_id("cart"), 1)


# Guilty in other dialects and at other places


@case(enriched={WRITES: 8})
def updates_of_each_currency_since_a_day(entry: EntrySpans) -> None:
    """A statement for each of several names: the range is not what the loop is over."""
    sql = 'UPDATE "rate" SET "value" = %s WHERE ("rate"."currency" = %s AND "rate"."day" >= %s)'
    for currency in ("EUR", "USD", "CHF", "GBP", "SEK", "NOK", "DKK", "JPY"):
        entry.query(sql, 1, currency, "2026-01-01")


@case(enriched={N_PLUS_ONE: 8})
def events_of_each_user_in_a_week(entry: EntrySpans) -> None:
    sql = select("event", '("event"."user_id" = %s AND "event"."id" >= %s AND "event"."id" < %s)')
    for user in range(8):
        entry.query(sql, user, 100, 900)


@case(enriched={N_PLUS_ONE: 9}, system="oracle")
def oracle_placeholders(entry: EntrySpans) -> None:
    for key in range(9):
        entry.query('SELECT "C"."ID" FROM "C" WHERE "C"."ID" = :arg0 FETCH FIRST 21 ROWS ONLY', key)


@case(enriched={N_PLUS_ONE: 9})
def numbered_placeholders(entry: EntrySpans) -> None:
    for key in range(9):
        entry.query("SELECT name FROM customers WHERE id = $1", key)


@case(enriched={N_PLUS_ONE: 9})
def named_placeholders(entry: EntrySpans) -> None:
    for key in range(9):
        entry.query("SELECT name FROM customers WHERE id = %(key)s", key)


@case(enriched={N_PLUS_ONE: 12})
def inside_a_template(entry: EntrySpans) -> None:
    for order in range(12):
        entry.inside("render row.html")
        entry.query(ITEMS_OF, order, relation="items", source=order)


@case(enriched={N_PLUS_ONE: 25}, command="nightly")
def in_a_command(entry: EntrySpans) -> None:
    for order in range(25):
        entry.query(by_id("shop_customer"), order, relation="customer", source=order, target=order)


@case(enriched={N_PLUS_ONE: 8})
def lower_case_sql(entry: EntrySpans) -> None:
    for key in range(8):
        entry.query("select c.name from customers c where c.id = %s", key)


@case(enriched={N_PLUS_ONE: 10})
def latest_with_a_join(entry: EntrySpans) -> None:
    sql = (
        'SELECT "e"."id", "u"."name" FROM "e" INNER JOIN "u" ON ("e"."user_id" = "u"."id") '
        'WHERE "e"."order_id" = %s ORDER BY "e"."at" DESC LIMIT 1'
    )
    for order in range(10):
        entry.query(sql, order)


@case(enriched={N_PLUS_ONE: 10})
def subquery_in_a_loop(entry: EntrySpans) -> None:
    sql = (
        'SELECT "p"."id" FROM "p" WHERE "p"."id" IN '
        '(SELECT U0."p_id" FROM "basket" U0 WHERE U0."user_id" = %s)'
    )
    for user in range(10):
        entry.query(sql, user)


@case(enriched={N_PLUS_ONE: 20, CHAIN: 6}, stock={N_PLUS_ONE: 26})
def listing_and_a_walk(entry: EntrySpans) -> None:
    """A query a row, and one walk along parents, in the same request."""
    for order in range(20):
        entry.query(by_id("shop_customer"), order, relation="customer", source=order, target=order)
    for step in range(6):
        entry.query(
            by_id("category"), step + 1, relation="parent", source=step, target=step + 1, line=30
        )


@case(enriched={WRITES: 8})
def upserts_one_by_one(entry: EntrySpans) -> None:
    sql = (
        'INSERT INTO "stock" ("sku", "n") VALUES (%s, %s) ON CONFLICT ("sku") DO UPDATE '
        'SET "n" = EXCLUDED."n"'
    )
    for row in range(8):
        entry.query(sql, row, 1)


@case(enriched={WRITES: 8}, system="mysql")
def replaces_one_by_one(entry: EntrySpans) -> None:
    for row in range(8):
        entry.query("REPLACE INTO `stock` (`sku`, `n`) VALUES (%s, %s)", row, 1)


@case(enriched={WRITES: 7})
def inserts_with_literals(entry: EntrySpans) -> None:
    for row in range(7):
        entry.query(f"INSERT INTO log (a, b) VALUES ({row}, 'x')")


@case(enriched={WRITES: 6})
def additions_to_a_many_to_many(entry: EntrySpans) -> None:
    for tag in range(6):
        entry.query(
            'INSERT INTO "order_tags" ("order_id", "tag_id") VALUES (%s, %s) '
            "ON CONFLICT DO NOTHING",
            *(1, tag),
        )
