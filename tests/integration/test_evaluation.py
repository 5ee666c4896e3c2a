"""Whatever the order in which spans come, the outcome is that of one evaluation of everything."""

from collections.abc import Sequence

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hotspan_collector.rules.evaluator import Timing
from hotspan_collector.rules.touched import Bounds
from hotspan_collector.sql import load_blocks
from hotspan_collector.store.port import SpanStore
from support.collector import EMBEDDED_FIRST
from support.embedded import emptied_store, shared_store
from support.evaluations import empty, entries, findings, new_evaluator, violations
from support.scattered_spans import (
    CLIENT,
    CONSUMER,
    EVERYTHING,
    INTERNAL,
    PRODUCER,
    SERVER,
    headless,
    insert,
    one,
    page,
    queries,
    sent,
    task,
)

RULES = ("n_plus_one", "slow_external_call", "task_failure")
# An example takes seconds, and shrinking many of them.
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)

on_stores = pytest.mark.parametrize("kept_store", EMBEDDED_FIRST, indirect=True, scope="session")


def outcome(store: SpanStore) -> dict[str, list[dict]]:
    return {
        "entries": sorted(entries(store), key=lambda row: (row["trace"], row["entry"])),
        "findings": findings(store),
        "violations": [row for row in violations(store) if row["hits"]],
    }


@pytest.fixture(scope="module")
def at_once() -> dict[str, list[dict]]:
    """What one evaluation of everything finds."""
    store = shared_store()
    empty(store)
    insert(store, EVERYTHING)
    new_evaluator(store, rules=RULES).tick()
    return outcome(store)


def test_what_one_evaluation_finds(at_once):
    """Entries end at process borders; circles belong to none; what lacks its root is partial."""
    found = [(row["trace"][-1], row["name"], row["spans"]) for row in at_once["entries"]]
    partial = [row["trace"][-1] for row in at_once["entries"] if row["partial"]]
    rules = [(row["rule"], row["trace"][-1], row["count"]) for row in at_once["findings"]]

    assert found == [
        ("1", "GET orders/", 7),
        ("2", "GET orders/", 7),
        ("3", "POST book/", 2),
        ("3", "book", 7),
        ("4", "GET outer/", 8),
        ("5", "(root span missing)", 6),
        ("6", "GET bent/", 6),
    ]
    assert partial == ["5"]
    assert rules == [
        ("n_plus_one", "1", 6),
        ("n_plus_one", "2", 6),
        ("n_plus_one", "3", 6),
        ("n_plus_one", "4", 6),
        ("n_plus_one", "5", 6),
        ("n_plus_one", "6", 5),
        ("task_failure", "3", 1),
    ]


@st.composite
def deliveries(draw) -> list[tuple[list[int], str]]:
    """All spans, by number, in some order, some twice, in batches; and what is done after each."""
    again = draw(st.lists(st.sampled_from(range(len(EVERYTHING))), max_size=10))
    order = draw(st.permutations([*range(len(EVERYTHING)), *again]))
    cuts = sorted(draw(st.lists(st.integers(1, len(order) - 1), max_size=3, unique=True)))
    batches = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    then = draw(
        st.lists(
            st.sampled_from(["tick", "restart", "wait"]),
            min_size=len(batches),
            max_size=len(batches),
        )
    )
    return list(zip(batches, then, strict=True))


def check_that_order_does_not_matter(
    expected: dict[str, list[dict]], deliveries: Sequence[tuple[list[int], str]]
) -> None:
    store = shared_store()
    empty(store)
    evaluator = new_evaluator(store, rules=RULES)
    for batch, action in deliveries:
        insert(store, [EVERYTHING[index] for index in batch])
        if action == "restart":
            evaluator = new_evaluator(store, rules=RULES)
        if action != "wait":
            evaluator.tick()
    evaluator.tick()

    assert outcome(store) == expected


@settings(max_examples=3, deadline=None, derandomize=True, phases=NO_SHRINKING)
@given(deliveries=deliveries())
def test_any_order_ends_in_the_same(at_once, deliveries):
    """Batches, duplicates, late spans and restarts change nothing about what is found."""
    check_that_order_does_not_matter(at_once, deliveries)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@settings(max_examples=60, deadline=None, phases=NO_SHRINKING)
@given(deliveries=deliveries())
def test_many_orders_end_in_the_same(at_once, deliveries):
    """The same, with more orders, and others each time."""
    check_that_order_does_not_matter(at_once, deliveries)


def test_a_task_whose_span_comes_last_takes_its_queries_along(store):
    """Its spans made a partial entry; with the task's own span, it is the task's."""
    request_and_publish, own, work = task(3)[:2], task(3)[2:3], task(3)[3:]
    evaluator = new_evaluator(store, rules=RULES)

    insert(store, [*request_and_publish, *work])
    evaluator.tick()
    before = outcome(store)
    insert(store, own)
    evaluator.tick()
    after = outcome(store)

    assert [(row["name"], row["partial"]) for row in before["entries"]] == [
        ("POST book/", False),
        ("(root span missing)", True),
    ]
    assert [(row["name"], row["partial"]) for row in after["entries"]] == [
        ("POST book/", False),
        ("book", False),
    ]
    assert [(row["rule"], row["entry_name"]) for row in after["findings"]] == [
        ("n_plus_one", "book"),
        ("task_failure", "book"),
    ]


def test_a_parent_that_comes_late_takes_spans_from_an_entry(store):
    """What seemed a command turns out to be part of a request: the command's entry goes."""
    trace = 9
    root = one(trace, 1, ms=80, kind=SERVER, name="GET orders/")
    between = one(trace, 2, 1, ms=70, kind=INTERNAL)
    evaluator = new_evaluator(store, rules=RULES)

    insert(store, sent(queries(trace, 2)))
    evaluator.tick()
    before = outcome(store)
    insert(store, sent([root, between]))
    evaluator.tick()
    after = outcome(store)

    assert [row["name"] for row in before["entries"]] == ["(root span missing)"]
    assert [row["name"] for row in after["entries"]] == ["GET orders/"]
    assert [row["entry_name"] for row in after["findings"]] == ["GET orders/"]
    assert [row["hits"] for row in after["violations"]] == [1]


def test_an_entry_whose_own_span_comes_last_stays(store):
    """It begins earlier then than was thought, and is the same."""
    evaluator = new_evaluator(store, rules=RULES)
    root, *queried = page(1)
    insert(store, queried)
    evaluator.tick()
    insert(store, [root])
    evaluator.tick()

    (entry,) = entries(store)

    assert (entry["spans"], entry["partial"]) == (7, False)


def test_environments_do_not_mix(store):
    """The same trace of the same service in two environments makes two violations."""
    insert(store, [*page(1), *page(2, environment="staging")])
    new_evaluator(store, rules=RULES).tick()

    found = sorted((row["environment"], row["hits"]) for row in violations(store))

    assert found == [("production", 1), ("staging", 1)]


@on_stores
def test_inserts_of_one_millisecond_are_told_apart(store):
    """Two commits may carry the same time and become visible one after the other."""
    evaluator = new_evaluator(store, rules=RULES)
    spans = page(1)
    insert(store, spans[:3])
    evaluator.tick()
    (first,) = store.rows("SELECT toString(max(inserted_at)) AS at FROM spans")
    insert(store, spans[3:])
    store.execute(
        "ALTER TABLE spans UPDATE inserted_at = {at:DateTime64(3, 'UTC')} WHERE 1 "
        "SETTINGS mutations_sync = 2",
        {"at": first["at"]},
    )
    evaluator.tick()

    (entry,) = entries(store)

    assert entry["spans"] == 7


@on_stores
def test_two_restarts_forget_no_pending_entry(store):
    """What waits is known in memory only: whoever takes over looks back far enough."""
    timing = Timing(settle_ms=0, settle_incomplete_ms=1_500, look_back_ms=200)
    insert(store, headless(5))
    for _ in range(3):
        new_evaluator(store, rules=RULES, timing=timing).tick()
        store.rows("SELECT sleep(0.6)")
    new_evaluator(store, rules=RULES, timing=timing).tick()

    found = [row["name"] for row in entries(store)]

    assert found == ["(root span missing)"]


@on_stores
def test_a_crash_between_entries_and_violations_loses_no_violation(store, monkeypatch):
    """The next evaluator finishes what the last one had begun."""

    class CrashError(Exception):
        """The process ended."""

    def crash(**_: object) -> None:
        raise CrashError

    insert(store, page(1))
    evaluator = new_evaluator(store, rules=RULES)
    monkeypatch.setattr(evaluator._violations, "update", crash)
    with pytest.raises(CrashError):
        evaluator.tick()
    new_evaluator(store, rules=RULES).tick()

    (violation,) = violations(store)

    assert (violation["hits"], violation["status"]) == (1, "open")


def test_seven_requests_one_in_the_other_are_one_entry(store):
    """However many libraries open a SERVER span for it."""
    shells = [
        one(7, n, n - 1, at_ms=n, ms=200 - n, kind=SERVER, name=f"GET {n}/") for n in range(1, 8)
    ]
    insert(store, sent([*shells, *queries(7, 7, 3, at_ms=50)]))
    new_evaluator(store, rules=RULES).tick()

    found = [(row["name"], row["spans"]) for row in entries(store)]

    assert found == [("GET 1/", 10)]


@pytest.mark.parametrize(("above", "below"), [(PRODUCER, CONSUMER), (CLIENT, SERVER)])
def test_what_was_called_is_an_entry_of_its_own(store, above, below):
    """Also where no span says that its parent is remote, and both processes look alike."""
    caller = one(8, 1, ms=200, kind=SERVER, name="GET outside/")
    call = one(8, 2, 1, at_ms=1, ms=190, kind=above)
    called = one(8, 3, 2, at_ms=2, ms=180, kind=below, name="inside")
    insert(store, sent([caller, call, called, *queries(8, 3, at_ms=50)]))
    new_evaluator(store, rules=RULES).tick()

    found = [(row["name"], row["spans"]) for row in entries(store)]

    assert found == [("GET outside/", 2), ("inside", 7)]


@on_stores
def test_a_long_trace_rests(store):
    """It is not read again for each span that comes, and what came meanwhile is not forgotten."""
    evaluator = new_evaluator(store, rules=RULES, bounds=Bounds(long_trace_spans=1))
    insert(store, [*page(1), *sent(queries(1, 1, 60, first=200))])
    evaluator.tick()
    insert(store, sent(queries(1, 1, 1, first=500, at_ms=70)))
    resting = evaluator.tick()
    # A minute later.
    store.execute("ALTER TABLE waiting_traces UPDATE due_ms = 0 WHERE true")
    evaluator.tick()

    (entry,) = entries(store)

    assert (resting.traces, resting.waiting, entry["spans"]) == (0, 1, 68)


@on_stores
def test_a_long_trace_is_not_multiplied_by_its_entries(store):
    """Nothing is joined by its trace alone: 130,000 spans took half a minute so, and 2 GiB."""
    new_evaluator(store, rules=RULES)
    # The sizes make the difference to ClickHouse's plans.
    for columns, ids, rows in (
        ("tick_members (trace_id, span_id, entry_span_id)", "id, id", 66_000),
        ("tick_spans (trace_id, span_id)", "id", 66_000),
        ("rule_entries (trace_id, entry_span_id)", "id", 6_600),
    ):
        store.execute(
            f"INSERT INTO {columns} WITH reinterpretAsFixedString(number) AS id "
            f"SELECT toFixedString('a', 16), {ids} FROM numbers({rows})"
        )
    fill = load_blocks("hotspan_collector.rules", "evaluate.sql")["fill_rule_spans"]
    plan = store.rows(f"EXPLAIN actions = 1 {fill.removeprefix('INSERT INTO rule_spans')}")
    conditions = [
        line.split("Join conditions: ")[1]
        for row in plan
        for line in row.values()
        if "Join conditions: " in line
    ]

    assert len(conditions) == 2
    assert all(" AND " in each for each in conditions)


def test_a_trace_that_cannot_be_evaluated_is_put_aside():
    """The others are evaluated, and it is said which one it was."""
    store = emptied_store()
    heavy = {"note": "x" * 1_000_000}
    insert(store, [*page(1), *page(2), *page(3), *page(9)])
    for batch in range(2):
        spans = [
            one(9, 1_000 + 10 * batch + n, 1, kind=CLIENT, attributes=heavy) for n in range(10)
        ]
        insert(store, sent(spans))
    evaluator = new_evaluator(store, rules=RULES)
    store.execute("SET max_memory_usage = 30000000")
    try:
        report = evaluator.tick()
    finally:
        store.execute("SET max_memory_usage = 0")

    found = [row["trace"] for row in entries(store)]

    assert list(report.set_aside) == [f"{9:032x}"]
    assert found == [f"{trace:032x}" for trace in (1, 2, 3)]
