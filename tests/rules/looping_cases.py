"""Entries that loop over queries: rows, parents, pairs."""

import itertools

from rules.entry_spans import EntrySpans
from rules.labelled import (
    CHAIN,
    HTTP,
    ITEMS_OF,
    N_PLUS_ONE,
    ORDERS,
    PRODUCT,
    by_id,
    case,
    count,
    in_list,
    select,
)


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


@case(enriched={N_PLUS_ONE: 12}, also={"connection_churn"})
def between_quick_connects(entry: EntrySpans) -> None:
    for order in range(12):
        entry.query("SELECT set_config('TimeZone', %s, false)", "UTC")
        entry.query(ITEMS_OF, order, relation="items", source=order)


@case(enriched={N_PLUS_ONE: 12, HTTP: 12}, also={"external_call_in_request"})
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
