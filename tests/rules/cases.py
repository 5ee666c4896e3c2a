"""What entries do, and what must be found about it: half of them are clean and look guilty."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rules.entry_spans import EntrySpans

Build = Callable[[EntrySpans], None]

N_PLUS_ONE = "n_plus_one"
CHAIN = "query_chain"
PRODUCT = "query_product"
DUPLICATE = "duplicate_query"
WRITES = "write_loop"
CACHE = "n_plus_one_cache"
HTTP = "n_plus_one_http"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An entry, and the rules that must find something in it, each with its count.

    `hashed` is what is expected where statements carry one hash of all their parameters.
    """

    name: str
    build: Build
    enriched: Mapping[str, int] = field(default_factory=dict)
    hashed: Mapping[str, int] = field(default_factory=dict)
    stock: Mapping[str, int] = field(default_factory=dict)
    task: str = ""


CASES: list[Case] = []


def case(
    *,
    enriched: Mapping[str, int] | None = None,
    hashed: Mapping[str, int] | None = None,
    stock: Mapping[str, int] | None = None,
    task: str = "",
) -> Callable[[Build], Build]:
    """Add an entry; without `hashed` and `stock` the same is expected of such spans."""
    expected = enriched or {}

    def add(build: Build) -> Build:
        CASES.append(
            Case(
                name=build.__name__,
                build=build,
                enriched=expected,
                hashed=expected if hashed is None else hashed,
                stock=expected if stock is None else stock,
                task=task,
            )
        )
        return build

    return add


def select(table: str, condition: str = "", *, more: str = "") -> str:
    where = f" WHERE {condition}" if condition else ""
    return f'SELECT "{table}"."id", "{table}"."name" FROM "{table}"{where}{more}'


def by_id(table: str) -> str:
    return select(table, f'"{table}"."id" = %s', more=" LIMIT 21")


def in_list(table: str, column: str, keys: int) -> str:
    return select(table, f'"{table}"."{column}" IN ({", ".join(["%s"] * keys)})')


def count(table: str, condition: str) -> str:
    return f'SELECT COUNT(*) AS "__count" FROM "{table}" WHERE {condition}'


ORDERS = select("shop_order", more=' ORDER BY "shop_order"."id" DESC LIMIT 20')
ITEMS_OF = select("shop_item", '"shop_item"."order_id" = %s')
PAID = '"shop_invoice"."status" = %s'


# N+1


@case(enriched={N_PLUS_ONE: 18})
def foreign_key(entry: EntrySpans) -> None:
    entry.query(ORDERS)
    for order in range(18):
        entry.query(by_id("shop_customer"), order, relation="customer", source=order, target=order)


@case(enriched={N_PLUS_ONE: 50})
def foreign_key_to_three_branches(entry: EntrySpans) -> None:
    entry.query(ORDERS)
    for order in range(50):
        branch = order % 3
        entry.query(by_id("shop_branch"), branch, relation="branch", source=order, target=branch)


@case(enriched={N_PLUS_ONE: 36})
def two_foreign_keys_in_turn(entry: EntrySpans) -> None:
    entry.query(ORDERS)
    for order in range(18):
        entry.query(by_id("shop_customer"), order, relation="customer", source=order, target=order)
        entry.query(by_id("shop_seller"), order, relation="seller", source=order, target=order)


@case(enriched={N_PLUS_ONE: 10})
def two_relations_on_one_line(entry: EntrySpans) -> None:
    for order in range(5):
        for relation in ("billing_address", "shipping_address"):
            key = f"{relation}{order}"
            entry.query(by_id("address"), key, relation=relation, source=order, target=key)


@case(enriched={N_PLUS_ONE: 40})
def two_loops_at_two_places(entry: EntrySpans) -> None:
    for line in (10, 20):
        for order in range(20):
            entry.query(ITEMS_OF, order, relation="items", source=order, line=line)


@case(enriched={N_PLUS_ONE: 12})
def reverse_relation(entry: EntrySpans) -> None:
    entry.query(ORDERS)
    for order in range(12):
        entry.query(ITEMS_OF, order, relation="items", source=order)


@case(enriched={N_PLUS_ONE: 7})
def many_to_many(entry: EntrySpans) -> None:
    sql = (
        'SELECT "tag"."id" FROM "tag" INNER JOIN "order_tags" ON ("tag"."id" = '
        '"order_tags"."tag_id") WHERE "order_tags"."order_id" = %s'
    )
    for order in range(7):
        entry.query(sql, order, relation="tags", source=order)


@case(enriched={N_PLUS_ONE: 9})
def count_in_a_loop(entry: EntrySpans) -> None:
    for order in range(9):
        entry.query(
            count("shop_item", '"shop_item"."order_id" = %s'),
            order,
            relation="items",
            source=order,
        )


@case(enriched={N_PLUS_ONE: 15})
def sum_in_a_loop(entry: EntrySpans) -> None:
    for variant in range(15):
        entry.query(
            'SELECT SUM("level"."quantity") AS "sum" FROM "level" WHERE "level"."variant_id" = %s',
            variant,
        )


@case(enriched={N_PLUS_ONE: 6})
def exists_in_a_loop(entry: EntrySpans) -> None:
    for user in range(6):
        entry.query('SELECT 1 AS "a" FROM "vote" WHERE "vote"."user_id" = %s LIMIT 1', user)


@case(enriched={N_PLUS_ONE: 20})
def get_by_key_in_a_loop(entry: EntrySpans) -> None:
    for key in range(20):
        entry.query(by_id("shop_product"), key)


@case(enriched={N_PLUS_ONE: 20})
def filter_and_constant_list(entry: EntrySpans) -> None:
    sql = select("shop_item", '("shop_item"."order_id" = %s AND "shop_item"."state" IN (%s, %s))')
    for order in range(20):
        entry.query(sql, order, "open", "late", relation="items", source=order)


@case(enriched={N_PLUS_ONE: 8})
def prefetch_of_single_instances(entry: EntrySpans) -> None:
    """prefetch_related_objects([order], "items") in a loop."""
    for order in range(8):
        entry.query(in_list("shop_item", "order_id", 1), order)


@case(enriched={N_PLUS_ONE: 25})
def literals_in_the_text(entry: EntrySpans) -> None:
    for key in range(25):
        entry.query(f"SELECT name FROM customer WHERE id = {key}")


@case(enriched={N_PLUS_ONE: 12})
def between_quick_connects(entry: EntrySpans) -> None:
    for order in range(12):
        entry.query("SELECT set_config('TimeZone', %s, false)", "UTC")
        entry.query(ITEMS_OF, order, relation="items", source=order)


@case(enriched={N_PLUS_ONE: 12, HTTP: 12})
def with_a_call_after_each(entry: EntrySpans) -> None:
    for order in range(12):
        entry.query(ITEMS_OF, order, relation="items", source=order)
        entry.call(f"http://prices/items/{order}", ms=150)


@case(enriched={N_PLUS_ONE: 30}, task="shop.tasks.report")
def in_a_task(entry: EntrySpans) -> None:
    for order in range(30):
        entry.query(by_id("shop_customer"), order, relation="customer", source=order, target=order)


@case(enriched={N_PLUS_ONE: 10})
def mysql_quotes(entry: EntrySpans) -> None:
    for order in range(10):
        entry.query("SELECT `c`.`id` FROM `c` WHERE `c`.`id` = %s LIMIT 21", order)


@case(enriched={N_PLUS_ONE: 10})
def sqlite_question_marks(entry: EntrySpans) -> None:
    for sku in range(10):
        entry.query("select price from prices where sku = ?", f"S{sku}")


@case(enriched={N_PLUS_ONE: 10})
def comment_with_the_trace(entry: EntrySpans) -> None:
    for order in range(10):
        entry.query(f"{ITEMS_OF} /*traceparent='00-{order}'*/", order)


@case(enriched={N_PLUS_ONE: 20})
def latest_of_each(entry: EntrySpans) -> None:
    sql = select("event", '"event"."user_id" = %s', more=' ORDER BY "event"."at" DESC LIMIT 1')
    for user in range(20):
        entry.query(sql, user)


# Chains


@case(enriched={CHAIN: 10}, stock={N_PLUS_ONE: 10})
def parent_chain(entry: EntrySpans) -> None:
    for step in range(10):
        walk(entry, step, step + 1)


@case(enriched={CHAIN: 10}, stock={N_PLUS_ONE: 10})
def parent_chain_after_a_lookup(entry: EntrySpans) -> None:
    entry.query(select("account", '"account"."code" = %s', more=" LIMIT 21"), "A")
    for step in range(10):
        walk(entry, step, step + 1)


@case(enriched={CHAIN: 3}, stock={})
def short_parent_chain(entry: EntrySpans) -> None:
    for step in range(3):
        walk(entry, step, step + 1)


@case(enriched={CHAIN: 120}, stock={N_PLUS_ONE: 120})
def account_tree(entry: EntrySpans) -> None:
    """Thirty leaves, each four steps below the root."""
    entry.query(select("account", '"account"."is_leaf"'))
    for leaf in range(30):
        keys = [f"leaf{leaf}", f"c{leaf // 2}", f"b{leaf // 6}", f"a{leaf // 15}", "root"]
        for below, above in itertools.pairwise(keys):
            walk(entry, below, above)


@case(enriched={N_PLUS_ONE: 12})
def parents_of_a_listing(entry: EntrySpans) -> None:
    """One step for each row: an ordinary N+1, on a table that is a tree."""
    for category in range(12):
        walk(entry, category, f"parent of {category % 4}")


def walk(entry: EntrySpans, below: object, above: object) -> None:
    sql = (
        'SELECT "account"."id", "account"."parent_id" FROM "account" '
        'WHERE "account"."id" = %s LIMIT 21'
    )
    entry.query(sql, above, relation="parent", source=below, target=above)


# Products


@case(enriched={PRODUCT: 20}, hashed={N_PLUS_ONE: 20}, stock={N_PLUS_ONE: 20})
def four_warehouses_by_five_variants(entry: EntrySpans) -> None:
    product(entry, warehouses=4, variants=5)


@case(enriched={PRODUCT: 96}, stock={N_PLUS_ONE: 96})
def eight_warehouses_by_twelve_variants(entry: EntrySpans) -> None:
    entry.query(select("warehouse"), rows=8)
    entry.query(select("variant", '"variant"."product_id" = %s'), 1, rows=12)
    product(entry, warehouses=8, variants=12)


@case(enriched={PRODUCT: 40}, stock={N_PLUS_ONE: 40})
def product_over_a_relation(entry: EntrySpans) -> None:
    sql = select("level", '("level"."variant_id" = %s AND "level"."warehouse_id" = %s)')
    for variant in range(10):
        for warehouse in range(4):
            entry.query(sql, variant, f"w{warehouse}", relation="levels", source=variant)


@case(enriched={N_PLUS_ONE: 20})
def pairs_of_a_listing(entry: EntrySpans) -> None:
    """Each item has a warehouse and a variant: as many queries as items."""
    entry.query(select("item"))
    sql = select("level", '("level"."warehouse_id" = %s AND "level"."variant_id" = %s)')
    for item in range(20):
        entry.query(sql, f"w{item % 7}", f"v{item}")


@case(enriched={N_PLUS_ONE: 20})
def one_warehouse_and_its_variants(entry: EntrySpans) -> None:
    """One loop: the listing of warehouses has one row."""
    entry.query(select("warehouse"), rows=1)
    entry.query(select("variant"), rows=20)
    product(entry, warehouses=1, variants=20)


@case(enriched={N_PLUS_ONE: 20})
def second_parameter_constant(entry: EntrySpans) -> None:
    sql = select("level", '("level"."variant_id" = %s AND "level"."kind" = %s)')
    for variant in range(20):
        entry.query(sql, variant, "shelf")


@case(enriched={N_PLUS_ONE: 20})
def two_parameters_that_vary_together(entry: EntrySpans) -> None:
    sql = select("rate", '("rate"."day" = %s AND "rate"."currency_id" = %s)')
    for row in range(20):
        entry.query(sql, f"day {row}", f"currency {row}")


def product(entry: EntrySpans, *, warehouses: int, variants: int) -> None:
    sql = select("level", '("level"."warehouse_id" = %s AND "level"."variant_id" = %s)')
    for warehouse in range(warehouses):
        for variant in range(variants):
            entry.query(f"{sql} LIMIT 21", f"w{warehouse}", f"v{variant}")


# Duplicates


@case(enriched={DUPLICATE: 8}, stock={N_PLUS_ONE: 8})
def same_lookup(entry: EntrySpans) -> None:
    for _ in range(8):
        entry.query(by_id("shop_setting"), "currency")


@case(enriched={DUPLICATE: 2}, stock={})
def user_read_by_middleware_and_view(entry: EntrySpans) -> None:
    entry.query(by_id("auth_user"), 7, line=3)
    entry.query(ORDERS)
    entry.query(by_id("auth_user"), 7, line=44)


@case(enriched={DUPLICATE: 4})
def no_parameters(entry: EntrySpans) -> None:
    for _ in range(4):
        entry.query(select("branch"))


@case(enriched={DUPLICATE: 3}, stock={})
def items_of_one_order_thrice(entry: EntrySpans) -> None:
    for _ in range(3):
        entry.query(ITEMS_OF, 1, relation="items", source=1)


@case(enriched={DUPLICATE: 2})
def count_then_list(entry: EntrySpans) -> None:
    entry.query(count("shop_invoice", PAID), "unpaid")
    entry.query(
        select("shop_invoice", PAID, more=' ORDER BY "shop_invoice"."number" ASC'), "unpaid"
    )


@case(enriched={DUPLICATE: 3}, stock={DUPLICATE: 2})
def count_then_list_twice(entry: EntrySpans) -> None:
    entry.query(count("shop_invoice", PAID), "unpaid")
    for _ in range(2):
        entry.query(select("shop_invoice", PAID), "unpaid")


@case(enriched={DUPLICATE: 2})
def count_then_list_with_joins(entry: EntrySpans) -> None:
    entry.query(count("shop_invoice", PAID), "unpaid")
    entry.query(
        'SELECT "shop_invoice"."id", "c"."name" FROM "shop_invoice" INNER JOIN "c" ON '
        f'("shop_invoice"."customer_id" = "c"."id") WHERE {PAID}',
        "unpaid",
    )


@case(enriched={DUPLICATE: 2})
def count_all_then_list_all(entry: EntrySpans) -> None:
    entry.query('SELECT COUNT(*) AS "__count" FROM "branch"')
    entry.query(select("branch"))


@case(enriched={DUPLICATE: 4}, stock={})
def read_again_after_each_write(entry: EntrySpans) -> None:
    """Two reads before the write, two after it: each pair is one too many."""
    for _ in range(2):
        for _ in range(2):
            entry.query(by_id("cart"), 1)
        entry.query('UPDATE "cart" SET "total" = %s WHERE "cart"."id" = %s', 5, 1)


# Writes


@case(enriched={WRITES: 20})
def saves_in_a_loop(entry: EntrySpans) -> None:
    for row in range(20):
        entry.query('UPDATE "shop_item" SET "price" = %s WHERE "shop_item"."id" = %s', 1, row)


@case(enriched={WRITES: 12})
def inserts_in_a_loop(entry: EntrySpans) -> None:
    for row in range(12):
        entry.query('INSERT INTO "log" ("a", "b") VALUES (%s, %s) RETURNING "log"."id"', row, 2)


@case(enriched={WRITES: 9})
def deletes_in_a_loop(entry: EntrySpans) -> None:
    for row in range(9):
        entry.query('DELETE FROM "log" WHERE "log"."id" IN (%s)', row)


@case(enriched={WRITES: 15, N_PLUS_ONE: 15})
def stock_signal(entry: EntrySpans) -> None:
    for variant in range(15):
        entry.query('SELECT SUM("l"."q") AS "sum" FROM "l" WHERE "l"."variant_id" = %s', variant)
        entry.query('UPDATE "variant" SET "available" = %s WHERE "variant"."id" = %s', 3, variant)


# Caches and calls


@case(enriched={CACHE: 40})
def cache_keys_one_by_one(entry: EntrySpans) -> None:
    for _ in range(40):
        entry.cache("GET ?")


@case(enriched={CACHE: 12})
def hash_fields_one_by_one(entry: EntrySpans) -> None:
    for key in range(12):
        entry.cache(f"HGET user:{key} name")


@case(enriched={HTTP: 10})
def one_call_a_row(entry: EntrySpans) -> None:
    for row in range(10):
        entry.call(f"http://prices:8080/price/{row}?api_key=abc")


@case(enriched={HTTP: 6})
def one_call_a_sku(entry: EntrySpans) -> None:
    for row in range(6):
        entry.call(f"https://erp.example/v1/products/SKU-000{row}/stock")


@case(enriched={HTTP: 6})
def one_call_a_currency(entry: EntrySpans) -> None:
    for currency in ("EUR", "USD", "CHF", "GBP", "SEK", "NOK"):
        entry.call(f"https://rates.example/latest/{currency}")


@case(enriched={HTTP: 7})
def one_post_a_row(entry: EntrySpans) -> None:
    for _ in range(7):
        entry.call("https://mail.example/send", method="POST")


@case(enriched={HTTP: 8})
def side_by_side(entry: EntrySpans) -> None:
    """Reported as information, with the overlap."""
    for row in range(8):
        entry.call(f"http://prices/price/{row}", side_by_side=True)


# Clean, though it looks guilty


@case()
def four_rows(entry: EntrySpans) -> None:
    for order in range(4):
        entry.query(by_id("shop_customer"), order, relation="customer", source=order, target=order)


@case()
def select_related_and_prefetch(entry: EntrySpans) -> None:
    entry.query(ORDERS)
    entry.query(in_list("shop_item", "order_id", 20), *range(20))


@case()
def chunked_prefetch(entry: EntrySpans) -> None:
    """iterator(chunk_size=3): six full chunks."""
    entry.query(select("shop_order"))
    for chunk in range(6):
        entry.query(in_list("shop_item", "order_id", 3), *(chunk * 3 + key for key in range(3)))


@case()
def chunked_prefetch_with_a_shorter_rest(entry: EntrySpans) -> None:
    entry.query(select("shop_order"))
    for chunk, keys in enumerate((4, 4, 4, 4, 1)):
        entry.query(
            in_list("shop_item", "order_id", keys), *(4 * chunk + key for key in range(keys))
        )


@case()
def chunked_prefetch_with_a_filter(entry: EntrySpans) -> None:
    sql = select(
        "shop_item", '("shop_item"."kind" = %s AND "shop_item"."order_id" IN (%s, %s, %s))'
    )
    for chunk in range(8):
        entry.query(sql, "open", chunk, chunk + 100, chunk + 200)


@case()
def chunked_prefetch_of_many_to_many(entry: EntrySpans) -> None:
    sql = (
        'SELECT ("order_tags"."order_id") AS "_prefetch_related_val_order_id", "tag"."id" FROM '
        '"tag" INNER JOIN "order_tags" ON ("tag"."id" = "order_tags"."tag_id") '
        'WHERE "order_tags"."order_id" IN (%s, %s)'
    )
    for chunk in range(6):
        entry.query(sql, chunk, chunk + 50)


@case()
def chunked_prefetch_of_generic_relation(entry: EntrySpans) -> None:
    sql = select("note", '("note"."content_type_id" = %s AND "note"."object_id" IN (%s, %s))')
    for chunk in range(6):
        entry.query(sql, 9, chunk, chunk + 50)


@case()
def arrays_of_keys(entry: EntrySpans) -> None:
    for chunk in range(6):
        entry.query("SELECT id FROM item WHERE order_id = ANY(%s)", [chunk, chunk + 9])


@case(task="shop.tasks.export")
def pages_of_one_listing(entry: EntrySpans) -> None:
    for page in range(12):
        more = f' ORDER BY "shop_order"."id" ASC LIMIT 100 OFFSET {100 * (page + 1)}'
        entry.query(select("shop_order", more=more))


@case(task="shop.tasks.export")
def pages_by_key(entry: EntrySpans) -> None:
    sql = select(
        "shop_order", '"shop_order"."id" > %s', more=' ORDER BY "shop_order"."id" ASC LIMIT 500'
    )
    for page in range(12):
        entry.query(sql, page * 500)


@case(task="shop.tasks.export")
def pages_of_a_filtered_listing(entry: EntrySpans) -> None:
    sql = select(
        "shop_order",
        '("shop_order"."status" = %s AND "shop_order"."id" > %s)',
        more=' ORDER BY "shop_order"."id" ASC LIMIT 500',
    )
    for page in range(12):
        entry.query(sql, "open", page * 500)


@case()
def page_with_its_count(entry: EntrySpans) -> None:
    entry.query(count("shop_invoice", PAID), "unpaid")
    entry.query(select("shop_invoice", PAID, more=" LIMIT 50"), "unpaid")


@case()
def counts_of_a_dashboard(entry: EntrySpans) -> None:
    for status in ("open", "late", "paid", "sent"):
        entry.query(count("shop_order", '"shop_order"."status" = %s'), status)


@case()
def counts_of_a_dashboard_and_one_listing(entry: EntrySpans) -> None:
    for status in ("open", "late", "paid"):
        entry.query(count("shop_order", '"shop_order"."status" = %s'), status)
    entry.query(select("shop_order", '"shop_order"."status" = %s'), "returned")


@case()
def count_of_other_rows(entry: EntrySpans) -> None:
    entry.query('SELECT COUNT(*) AS "__count" FROM "branch"')
    entry.query(select("branch", '"branch"."active"'))


@case()
def counted_and_summed(entry: EntrySpans) -> None:
    entry.query(count("shop_invoice", PAID), "unpaid")
    entry.query(
        'SELECT (CAST(SUM("shop_invoice"."amount") AS NUMERIC)) AS "amount__sum" FROM '
        f'"shop_invoice" WHERE {PAID}',
        "unpaid",
    )


@case()
def counted_rows_grouped(entry: EntrySpans) -> None:
    entry.query('SELECT COUNT(*) AS "__count" FROM "branch"')
    entry.query('SELECT "branch"."city", COUNT(*) AS "n" FROM "branch" GROUP BY "branch"."city"')


@case()
def read_again_after_a_write(entry: EntrySpans) -> None:
    """refresh_from_db() after an update()."""
    for _ in range(2):
        entry.query(by_id("cart"), 1)
        entry.query('UPDATE "cart" SET "total" = %s WHERE "cart"."id" = %s', 5, 1)


@case()
def counted_again_after_a_write(entry: EntrySpans) -> None:
    entry.query(count("shop_invoice", PAID), "unpaid")
    entry.query('INSERT INTO "shop_invoice" ("status") VALUES (%s)', "unpaid")
    entry.query(select("shop_invoice", PAID), "unpaid")


@case()
def join_read_again_after_a_write(entry: EntrySpans) -> None:
    sql = 'SELECT "a"."id" FROM "a" INNER JOIN "b" ON ("a"."b_id" = "b"."id") WHERE "b"."k" = %s'
    entry.query(sql, 1)
    entry.query('DELETE FROM "b" WHERE "b"."id" IN (%s)', 1)
    entry.query(sql, 1)


@case()
def locked_twice(entry: EntrySpans) -> None:
    for _ in range(2):
        entry.query(f"{select('cart', chr(34) + 'id' + chr(34) + ' = %s')} FOR UPDATE", 1)


@case()
def different_parameters(entry: EntrySpans) -> None:
    for key in ("currency", "country", "language"):
        entry.query(by_id("shop_setting"), key)


@case()
def same_target_of_three_sources(entry: EntrySpans) -> None:
    for order in range(3):
        entry.query(by_id("shop_branch"), 1, relation="branch", source=order, target=1)


@case()
def bulk_create_in_batches(entry: EntrySpans) -> None:
    for batch in range(10):
        entry.query('INSERT INTO "log" ("a", "b") VALUES (%s, %s), (%s, %s)', batch, 1, 2, 3)


@case()
def bulk_update_in_batches(entry: EntrySpans) -> None:
    for batch in range(10):
        entry.query(
            'UPDATE "item" SET "price" = (CASE WHEN ("item"."id" = %s) THEN %s WHEN ("item"."id" '
            '= %s) THEN %s ELSE NULL END)::numeric WHERE "item"."id" IN (%s, %s)',
            *(batch, 1, batch + 1, 2, batch, batch + 1),
        )


@case()
def deletes_in_batches(entry: EntrySpans) -> None:
    for batch in range(10):
        entry.query('DELETE FROM "log" WHERE "log"."id" IN (%s, %s, %s)', batch, batch + 1, 3)


@case()
def insert_select(entry: EntrySpans) -> None:
    for day in range(6):
        entry.query("INSERT INTO daily (day, n) SELECT %s, count(*) FROM visit", day)


@case(enriched={}, stock={WRITES: 6})
def executemany(entry: EntrySpans) -> None:
    """Stock spans do not tell how many rows a call carries."""
    for _ in range(6):
        entry.query("INSERT INTO daily (day, n) VALUES (%s, %s)", 1, 2, batch=100 * entry.enriched)


@case()
def four_writes(entry: EntrySpans) -> None:
    for row in range(4):
        entry.query('UPDATE "item" SET "price" = %s WHERE "item"."id" = %s', 1, row)


@case()
def savepoints(entry: EntrySpans) -> None:
    for number in range(8):
        entry.query(f'SAVEPOINT "s140_x{number}"')
        entry.query(f'RELEASE SAVEPOINT "s140_x{number}"')


@case()
def session_user_and_permissions(entry: EntrySpans) -> None:
    entry.query(
        'SELECT "django_session"."session_key" FROM "django_session" WHERE '
        '("django_session"."expire_date" > %s AND "django_session"."session_key" = %s) LIMIT 21',
        *("now", "k"),
    )
    entry.query(by_id("auth_user"), 7)
    entry.query(
        'SELECT "auth_permission"."codename" FROM "auth_permission" INNER JOIN "auth_user_p" ON '
        '("auth_permission"."id" = "auth_user_p"."permission_id") WHERE '
        '"auth_user_p"."user_id" = %s',
        7,
    )


@case(task="shop.tasks.wait")
def polls_the_database(entry: EntrySpans) -> None:
    for _ in range(10):
        entry.query(by_id("job"), 1, ms=2)
        entry.sleep(500)


@case(task="shop.tasks.wait")
def polls_another_service(entry: EntrySpans) -> None:
    for _ in range(10):
        entry.call("http://render/jobs/17", ms=20)
        entry.sleep(1000)


@case(task="shop.tasks.wait")
def polls_the_cache(entry: EntrySpans) -> None:
    for _ in range(20):
        entry.cache("GET ?")
        entry.sleep(200)


@case(task="shop.tasks.drain")
def drains_a_queue(entry: EntrySpans) -> None:
    sql = select("job", '"job"."state" = %s', more=" LIMIT 1 FOR UPDATE SKIP LOCKED")
    for _ in range(4):
        entry.query(sql, "new")
        entry.query('UPDATE "job" SET "state" = %s WHERE "job"."id" IN (%s, %s)', "done", 1, 2)


@case()
def two_libraries_see_one_query(entry: EntrySpans) -> None:
    outer = entry.query("SELECT id FROM item WHERE kind = %s", 1)
    entry.query("SELECT id FROM item WHERE kind = %s", 1, parent=outer)


@case()
def two_libraries_see_one_call(entry: EntrySpans) -> None:
    for row in range(4):
        outer = entry.call(f"https://s3.example/b/{row}")
        entry.call(f"https://s3.example/b/{row}", parent=outer)


@case()
def different_endpoints(entry: EntrySpans) -> None:
    for name in ("users", "orders", "items", "prices", "rates", "taxes"):
        entry.call(f"http://api/v1/{name}")


@case()
def retried_calls(entry: EntrySpans) -> None:
    for attempt in range(5):
        entry.call("http://api/v1/book", method="POST", status=503, retry=attempt)
        entry.sleep(50)
    entry.call("http://api/v1/book", method="POST", retry=5)


@case()
def cache_pipeline(entry: EntrySpans) -> None:
    for _ in range(12):
        entry.cache("GET ?\nGET ?\nGET ?", pipeline=3)


@case()
def cache_get_many(entry: EntrySpans) -> None:
    entry.cache("MGET ? ? ? ? ? ? ? ? ? ? ? ?")


@case()
def nine_cache_keys(entry: EntrySpans) -> None:
    for _ in range(9):
        entry.cache("GET ?")


@case()
def publishes_tasks_through_redis(entry: EntrySpans) -> None:
    for _ in range(30):
        entry.cache("LPUSH ? ?")


@case()
def health_check(entry: EntrySpans) -> None:
    entry.query("SELECT 1")
    entry.query("SELECT 1")
