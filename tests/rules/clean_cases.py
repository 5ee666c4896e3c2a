"""Entries that are clean and look guilty."""

from rules.entry_spans import EntrySpans
from rules.labelled import ORDERS, PAID, WRITES, by_id, case, count, in_list, select


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


@case(task="shop.tasks.wait", may={"blocking_time"})
def polls_the_database(entry: EntrySpans) -> None:
    for _ in range(10):
        entry.query(by_id("job"), 1, ms=2)
        entry.sleep(500)


@case(task="shop.tasks.wait", may={"blocking_time"})
def polls_another_service(entry: EntrySpans) -> None:
    for _ in range(10):
        entry.call("http://render/jobs/17", ms=20)
        entry.sleep(1000)


@case(task="shop.tasks.wait", may={"blocking_time"})
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


@case(also={"external_call_in_request"})
def two_libraries_see_one_call(entry: EntrySpans) -> None:
    for row in range(4):
        outer = entry.call(f"https://s3.example/b/{row}")
        entry.call(f"https://s3.example/b/{row}", parent=outer)


@case()
def different_endpoints(entry: EntrySpans) -> None:
    for name in ("users", "orders", "items", "prices", "rates", "taxes"):
        entry.call(f"http://api/v1/{name}")


@case()
def reads_between_other_ways_to_write(entry: EntrySpans) -> None:
    for write in (
        "TRUNCATE shop_stock",
        'COPY "shop_stock" ("id", "name") FROM STDIN',
        "MERGE INTO shop_stock USING delta ON shop_stock.id = delta.id WHEN MATCHED THEN DELETE",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY shop_stock",
    ):
        entry.query(count("shop_stock", '"shop_stock"."status" = %s'), "new")
        entry.query(write)


@case()
def same_read_of_four_databases(entry: EntrySpans) -> None:
    for database in ("default", "archive", "shop_de", "shop_fr"):
        entry.query(by_id("shop_customer"), 7, database=database)


@case(also={"external_call_in_request"})
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
