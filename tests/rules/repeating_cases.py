"""Entries that repeat themselves, write row by row, and fetch or call one by one."""

from rules.entry_spans import EntrySpans
from rules.labelled import (
    CACHE,
    DUPLICATE,
    HTTP,
    ITEMS_OF,
    N_PLUS_ONE,
    ORDERS,
    PAID,
    WRITES,
    by_id,
    case,
    count,
    select,
)


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


@case(enriched={HTTP: 10}, also={"external_call_in_request"})
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


@case(enriched={HTTP: 7}, also={"external_call_in_request"})
def one_post_a_row(entry: EntrySpans) -> None:
    for _ in range(7):
        entry.call("https://mail.example/send", method="POST")


@case(enriched={HTTP: 8})
def side_by_side(entry: EntrySpans) -> None:
    """Reported as information, with the overlap."""
    for row in range(8):
        entry.call(f"http://prices/price/{row}", side_by_side=True)
