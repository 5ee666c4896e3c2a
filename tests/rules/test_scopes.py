"""Thresholds that hold only somewhere: which one is in force, and what is found by it."""

import secrets

import pytest

from hotspan_collector.errors import ConfigurationError
from hotspan_collector.rules.catalogue import Catalogue, load_catalogue
from hotspan_collector.rules.evaluator import Evaluator, Timing
from hotspan_collector.store.port import SpanStore
from support.otlp_requests import MILLISECOND_NS, now_ns, request
from support.window_entries import Entry, find, spread, store_entries

from .test_fixes import page

AT_ONCE = Timing(settle_ms=0, settle_incomplete_ms=0, look_back_ms=60_000)


def evaluated(store: SpanStore, *where: dict, queries: int = 10) -> list[tuple[str, str]]:
    """Evaluate two services in two environments; return where the N+1 is found."""
    for service in ("shop", "chat"):
        for environment in ("production", "staging"):
            spans = page(queries, start_ns=now_ns() - 5_000 * MILLISECOND_NS)
            body = request(spans, service=service, environment=environment)
            store.insert_spans(body, token=secrets.token_hex())
    rule = load_catalogue(values={"n_plus_one": {"where": list(where)}}).rules["n_plus_one"]
    evaluator = Evaluator(
        store, catalogue=Catalogue({rule.id: rule}), timing=AT_ONCE, open_after_hits=1
    )
    report = evaluator.tick()
    assert report.failed_rules == {}
    rows = store.rows("SELECT service, environment FROM current_findings ORDER BY 1, 2")
    return [(row["service"], row["environment"]) for row in rows]


EVERYWHERE = [
    ("chat", "production"),
    ("chat", "staging"),
    ("shop", "production"),
    ("shop", "staging"),
]


@pytest.mark.parametrize(
    ("where", "left_out"),
    [
        pytest.param([], [], marks=pytest.mark.slow),
        ([{"service": "shop", "min_count": 20}], EVERYWHERE[2:]),
        ([{"service": "shop", "environment": "staging", "min_count": 20}], EVERYWHERE[3:]),
        pytest.param([{"kind": "task", "min_count": 20}], [], marks=pytest.mark.slow),
        ([{"kind": "web", "min_count": 20}, {"service": "shop", "min_count": 5}], EVERYWHERE[:2]),
        # the order in the file does not matter between different places
        ([{"service": "shop", "min_count": 5}, {"kind": "web", "min_count": 20}], EVERYWHERE[:2]),
        # of equals the later one wins
        pytest.param(
            [{"kind": "web", "min_count": 20}, {"kind": "web", "min_count": 5}],
            [],
            marks=pytest.mark.slow,
        ),
        ([{"entry": "GET ord*", "min_count": 20}], EVERYWHERE),
        pytest.param([{"entry": "GET %", "min_count": 20}], [], marks=pytest.mark.slow),
        ([{"entry": "it's {a:String} \\ %", "min_count": 20}], []),
    ],
)
def test_the_most_specific_is_in_force(embedded_store: SpanStore, where, left_out):
    """A route before a service, a service before web, task or command."""
    found = evaluated(embedded_store, *where)

    assert found == [each for each in EVERYWHERE if each not in left_out]


def test_one_violation_has_a_threshold_of_its_own(embedded_store: SpanStore):
    """It is known by its fingerprint, before anything else."""
    evaluated(embedded_store)
    [known] = embedded_store.rows(
        "SELECT fingerprint FROM violations FINAL "
        "WHERE service = 'chat' AND environment = 'staging'"
    )
    embedded_store.execute("TRUNCATE TABLE findings")
    embedded_store.execute("TRUNCATE TABLE entries")
    embedded_store.execute("TRUNCATE TABLE spans")
    embedded_store.execute("TRUNCATE TABLE watermarks")
    where = [
        {"service": "shop", "min_count": 20},
        {"fingerprint": known["fingerprint"], "min_count": 20},
    ]

    assert evaluated(embedded_store, *where) == [("chat", "production")]


def test_the_values_in_force_decide_the_severity(embedded_store: SpanStore):
    """Each finding is there once, by the values of its place."""
    evaluated(
        embedded_store,
        {"service": "shop", "critical_count": 10},
        {"service": "chat", "warning_count": 11, "warning_ms": 1000},
    )
    rows = embedded_store.rows(
        "SELECT service, toString(severity) AS severity FROM current_findings ORDER BY 1"
    )

    assert [tuple(row.values()) for row in rows] == [
        ("chat", "info"),
        ("chat", "info"),
        ("shop", "critical"),
        ("shop", "critical"),
    ]


def test_rules_over_windows_have_places_too(embedded_store: SpanStore):
    """A route with a budget of its own, and a longer window."""
    for name, queries in (("GET slow/", 30), ("GET fast/", 30), ("GET rare/", 30)):
        store_entries(embedded_store, spread(Entry(name=name, db_queries=queries), 30))
    found = find(
        embedded_store,
        "query_budget",
        where=[
            {"entry": "GET fast/", "listing_budget": 40},
            {"entry": "GET rare/", "min_entries": 50, "window_minutes": 2000},
        ],
    )

    assert [each.entry for each in found] == ["GET slow/"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"service": "shop"}, "sets nothing"),
        ({"servce": "shop", "min_count": 5}, "no setting servce. Conditions: kind, env"),
        ({"kind": "mail", "min_count": 5}, "kind = 'mail': expected one of web, task, command"),
        ({"service": 5, "min_count": 5}, "service = 5: expected a text"),
        ({"service": "shop", "min_count": "5"}, "min_count = '5': expected UInt32"),
        ({"service": "shop", "fingerprint": "v1:", "min_count": 5}, "leave the other conditions"),
    ],
)
def test_a_scope_that_cannot_be_used_is_refused(table, said):
    """The message names the rule, and what there is."""
    with pytest.raises(ConfigurationError, match=r"rules\.n_plus_one") as refusal:
        load_catalogue(values={"n_plus_one": {"where": [table]}})

    assert said in str(refusal.value)
