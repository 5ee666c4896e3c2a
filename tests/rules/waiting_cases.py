"""Entries that wait for something, and entries that compute meanwhile."""

from rules.entry_spans import EntrySpans
from rules.labelled import CACHE, DUPLICATE, HTTP, N_PLUS_ONE, WRITES, by_id, case, select


@case(enriched={N_PLUS_ONE: 10}, stock={}, may={"blocking_time"}, task="shop.tasks.render")
def rows_that_take_long_to_render(entry: EntrySpans) -> None:
    """Pauses as of a poll, between queries for different rows; stock spans do not tell."""
    for order in range(10):
        entry.query(by_id("shop_order"), order)
        entry.compute(140)


@case(enriched={DUPLICATE: 8}, stock={}, may={"blocking_time"}, task="shop.tasks.render")
def setting_read_for_each_rendering(entry: EntrySpans) -> None:
    """The same again after a pause in which a core was busy: nobody waits for it to change."""
    for _ in range(8):
        entry.query(by_id("shop_setting"), "logo", ms=2)
        entry.compute(150)


@case(enriched={DUPLICATE: 6}, stock={N_PLUS_ONE: 6})
def setting_read_for_each_row(entry: EntrySpans) -> None:
    for _ in range(6):
        entry.query(by_id("shop_setting"), "currency")
        entry.compute(3)


@case(enriched={}, stock={N_PLUS_ONE: 8})
def polls_at_short_intervals(entry: EntrySpans) -> None:
    """Every 40 ms; stock spans do not tell that it is the same row each time."""
    for _ in range(8):
        entry.query(by_id("job"), 1, ms=1)
        entry.sleep(40)


@case(task="shop.tasks.wait", may={"blocking_time"})
def polls_with_growing_intervals(entry: EntrySpans) -> None:
    for attempt in range(7):
        entry.query(by_id("job"), 1, ms=2)
        entry.sleep(100 * 1.6**attempt)


@case(may={"blocking_time"})
def polls_a_rendering_at_short_intervals(entry: EntrySpans) -> None:
    for _ in range(7):
        entry.call("http://render/jobs/17", ms=6)
        entry.sleep(50)


@case(task="shop.tasks.wait", may={"blocking_time"})
def heartbeats(entry: EntrySpans) -> None:
    """A long task says now and then that it is alive."""
    for _ in range(12):
        entry.query('UPDATE "job" SET "seen_at" = %s WHERE "job"."id" = %s', "now", 1, ms=2)
        entry.sleep(1000)


@case(task="shop.tasks.wait", may={"blocking_time"})
def waits_for_a_result(entry: EntrySpans) -> None:
    """AsyncResult.get() with a backend that is asked again and again."""
    for _ in range(30):
        entry.cache("GET ?")
        entry.sleep(500)


@case(enriched={HTTP: 6}, may={"blocking_time"}, task="shop.tasks.sync")
def calls_for_different_rows_with_pauses(entry: EntrySpans) -> None:
    """A rate limit, kept by sleeping."""
    for row in range(6):
        entry.call(f"http://erp/products/{row}", ms=30)
        entry.sleep(250)


@case(enriched={CACHE: 20})
def cache_keys_between_computations(entry: EntrySpans) -> None:
    for _ in range(20):
        entry.cache("GET ?")
        entry.compute(2)


@case(enriched={WRITES: 8}, stock={}, may={"blocking_time"}, task="shop.tasks.convert")
def writes_between_long_computations(entry: EntrySpans) -> None:
    """Like heartbeats, on stock spans."""
    for row in range(8):
        entry.query('UPDATE "image" SET "width" = %s WHERE "image"."id" = %s', 640, row)
        entry.compute(200)


@case(may={"blocking_time"}, task="shop.tasks.drain")
def takes_jobs_until_there_are_none(entry: EntrySpans) -> None:
    sql = select("job", '"job"."state" = %s', more=" LIMIT 1 FOR UPDATE SKIP LOCKED")
    for _ in range(9):
        entry.query(sql, "new")
        entry.sleep(30)
