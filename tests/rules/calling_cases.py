"""Calls and cache commands that repeat: rows, pages, parts, attempts."""

from rules.entry_spans import EntrySpans
from rules.labelled import CACHE, HTTP, case

# A task that fetches has time; a request that does is found by other rules.


@case(task="shop.tasks.sync")
def pages_of_another_service(entry: EntrySpans) -> None:
    for page in range(9):
        entry.call(f"https://erp.example/v1/products?page={page + 1}&per_page=100", ms=30)


@case(task="shop.tasks.sync")
def pages_by_offset_of_another_service(entry: EntrySpans) -> None:
    for page in range(9):
        entry.call(f"https://erp.example/v1/products?limit=100&offset={page * 100}", ms=30)


@case(task="shop.tasks.sync")
def pages_by_cursor_of_another_service(entry: EntrySpans) -> None:
    for page in ("", "b2s", "c3Q", "d4x", "e5y", "f6z"):
        entry.call(f"https://erp.example/v1/products?cursor={page}", ms=30)


@case(task="shop.tasks.sync")
def pages_of_a_bucket(entry: EntrySpans) -> None:
    for _ in range(8):
        entry.aws("S3.ListObjectsV2")


@case(enriched={HTTP: 8}, task="shop.tasks.sync")
def objects_one_by_one(entry: EntrySpans) -> None:
    for _ in range(8):
        entry.aws("S3.GetObject")


@case(enriched={HTTP: 8}, task="shop.tasks.sync")
def first_page_of_each_row(entry: EntrySpans) -> None:
    for row in range(8):
        entry.call(f"https://erp.example/v1/orders/{row}/lines?page=1", ms=30)


@case(task="shop.tasks.upload")
def parts_of_one_upload(entry: EntrySpans) -> None:
    for part in range(8):
        entry.call(
            f"https://b.s3.example/video.mp4?partNumber={part + 1}&uploadId=Vf9",
            method="PUT",
            ms=80,
        )


@case(task="shop.tasks.sync")
def attempts_until_one_succeeds(entry: EntrySpans) -> None:
    """A loop of the task's own: spans do not say that it tries again."""
    for attempt in range(6):
        entry.call(
            "https://erp.example/v1/book", method="POST", status=200 if attempt == 5 else 503
        )


@case(task="shop.tasks.sync")
def attempts_that_are_limited(entry: EntrySpans) -> None:
    for attempt in range(6):
        entry.call("https://erp.example/v1/book", status=200 if attempt == 5 else 429)
        entry.sleep(30)


@case(task="shop.tasks.sync")
def one_call_to_each_of_several_hosts(entry: EntrySpans) -> None:
    for host in ("prices", "stock", "users", "rates", "offers", "search"):
        entry.call(f"http://{host}.internal/health", ms=5)


@case(task="shop.tasks.sync")
def token_and_four_calls(entry: EntrySpans) -> None:
    entry.call("https://login.example/oauth/token", method="POST", ms=30)
    for row in range(4):
        entry.call(f"https://erp.example/v1/orders/{row}", ms=30)


@case(enriched={HTTP: 9}, task="shop.tasks.sync")
def ids_in_the_query(entry: EntrySpans) -> None:
    for row in range(9):
        entry.call(f"https://erp.example/v1/price?sku={row}", ms=12)


@case(enriched={HTTP: 7}, task="shop.tasks.sync")
def uuids_in_the_path(entry: EntrySpans) -> None:
    for row in range(7):
        entry.call(f"https://erp.example/v1/orders/6f1c2a7e-{row}b1d-4c55-9d0e-0a1b2c3d4e5f/lines")


@case(enriched={HTTP: 6}, task="shop.tasks.sync")
def names_in_the_path(entry: EntrySpans) -> None:
    """What stands around them tells them from endpoints."""
    for name in ("anna", "bert", "carla", "dora", "emil", "frida"):
        entry.call(f"https://directory.example/people/{name}/card")


@case(enriched={HTTP: 6}, task="shop.tasks.sync")
def names_below_a_version(entry: EntrySpans) -> None:
    for name in ("anna", "bert", "c4rla", "dora", "emil", "frida"):
        entry.call(f"https://directory.example/api/v2/people/{name}/card/")


@case(task="shop.tasks.sync")
def words_at_the_end_of_the_path(entry: EntrySpans) -> None:
    """May be six things, or six endpoints: words in a path do not tell."""
    for name in ("red-shoe", "blue-shoe", "hat", "scarf", "sock", "bag"):
        entry.call(f"https://erp.example/products/{name}")


@case(task="shop.tasks.sync")
def endpoints_of_one_service(entry: EntrySpans) -> None:
    for name in ("users", "orders", "stats", "roles", "teams", "invoices"):
        entry.call(f"https://erp.example/api/v1/{name}")


@case(task="shop.tasks.sync")
def summaries_of_one_service(entry: EntrySpans) -> None:
    for name in ("users", "orders", "stats", "roles", "teams", "invoices"):
        entry.call(f"https://erp.example/api/v1/{name}/summary")


@case(enriched={HTTP: 6}, task="shop.tasks.sync")
def deletes_of_files(entry: EntrySpans) -> None:
    for row in range(6):
        entry.call(f"https://b.s3.example/images/{row}.jpg", method="DELETE")


@case()
def several_caches(entry: EntrySpans) -> None:
    for command in ("GET", "SETEX", "INCR", "EXPIRE", "SADD", "TTL"):
        for _ in range(2):
            entry.cache(f"{command} ? ?")


@case()
def limits_of_a_rate(entry: EntrySpans) -> None:
    for _ in range(4):
        entry.cache("INCR ?")
        entry.cache("EXPIRE ? ?")


@case(enriched={CACHE: 14})
def members_one_by_one(entry: EntrySpans) -> None:
    for _ in range(14):
        entry.cache("SISMEMBER ? ?")


@case(enriched={CACHE: 11})
def hashes_one_by_one(entry: EntrySpans) -> None:
    for number in range(11):
        entry.cache(f"HGETALL session:{number}")
