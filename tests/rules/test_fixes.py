"""Whether a fix is proven, by real entries of several releases in an embedded store."""

import secrets
from collections.abc import Mapping

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from hotspan_collector.database import time_text
from hotspan_collector.rules.catalogue import Catalogue, load_catalogue
from hotspan_collector.rules.evaluator import Evaluator, Timing
from hotspan_collector.rules.fixes import Fixes
from hotspan_collector.rules.violation_table import row_from
from hotspan_collector.store.port import SpanStore
from support.evaluations import shipped_catalogue
from support.otlp_requests import MILLISECOND_NS, now_ns, request, span
from support.shop_traces import CUSTOMER_SQL

AT_ONCE = Timing(settle_ms=0, settle_incomplete_ms=0, look_back_ms=60_000)
HIT, CLEAN = 20, 2


def page(
    queries: int, *, start_ns: int, attributes: Mapping[str, object] | None = None
) -> list[Span]:
    """A request that runs so many equal queries."""
    trace_id, root_id = secrets.token_hex(16), secrets.token_hex(8)
    root = span(
        "GET orders/",
        trace_id=trace_id,
        span_id=root_id,
        start_ns=start_ns,
        duration_ms=queries * 10 + 50,
        kind=Span.SPAN_KIND_SERVER,
        attributes={"http.route": "orders/", **(attributes or {})},
    )
    statement = {"db.system.name": "sqlite", "db.query.text": CUSTOMER_SQL}
    return [
        root,
        *(
            span(
                "SELECT",
                trace_id=trace_id,
                span_id=secrets.token_hex(8),
                parent=root_id,
                start_ns=start_ns + (number * 10 + 5) * MILLISECOND_NS,
                duration_ms=8,
                kind=Span.SPAN_KIND_CLIENT,
                attributes=statement,
            )
            for number in range(queries)
        ),
    ]


class Shop:
    """A shop whose order list is looked at, release by release."""

    looks = True

    def __init__(self, store: SpanStore, **values: object) -> None:
        self.store = store
        self.restart(**values)

    def restart(self, **values: object) -> None:
        """Begin anew, with other settings of the rule if any are given."""
        known = load_catalogue(values={"n_plus_one": values}) if values else shipped_catalogue()
        catalogue = Catalogue({"n_plus_one": known.rules["n_plus_one"]})
        self.evaluator = Evaluator(
            self.store, catalogue=catalogue, timing=AT_ONCE, open_after_hits=1
        )
        self.fixes = Fixes(
            self.store, catalogue=catalogue, min_entries=5, now_ms=self.evaluator.now_ms()
        )

    def serve(self, *pages: int, version: str, ago_ms: int = 5_000) -> list[str]:
        """Answer requests, one with each of these numbers of queries; return what changed."""
        began_ns = now_ns() - ago_ms * MILLISECOND_NS
        spans = [
            each
            for number, queries in enumerate(pages)
            for each in page(queries, start_ns=began_ns + number * MILLISECOND_NS)
        ]
        self.store.insert_spans(request(spans, version=version), token=secrets.token_hex())
        return self.look()

    def look(self) -> list[str]:
        changes = [*self.evaluator.apply_actions(), *self.evaluator.tick().changes]
        if self.looks:
            changes += self.fixes.find(now_ms=self.evaluator.now_ms())
        return [change.event for change in changes]

    @property
    def violation(self):
        [row] = self.store.rows("SELECT * FROM current_violations")
        return row_from(row)

    def history(self) -> list[tuple[str, str, str]]:
        rows = self.store.rows(
            "SELECT event, from_status, to_status FROM violation_changes FINAL ORDER BY at, id"
        )
        return [tuple(row.values()) for row in rows]


@pytest.fixture
def shop(embedded_store: SpanStore) -> Shop:
    return Shop(embedded_store)


def test_a_fix_is_proven_with_numbers(shop: Shop):
    """Five entries of the next release without a hit, where each was hit before."""
    opened = shop.serve(HIT, HIT, HIT, version="1.0.0", ago_ms=9_000)
    some = shop.serve(CLEAN, CLEAN, version="1.1.0", ago_ms=7_000)
    progress = shop.violation.proof
    proven = shop.serve(CLEAN, CLEAN, CLEAN, version="1.1.0", ago_ms=6_000)
    proof = shop.violation.proof

    assert (opened, some, proven) == (["opened"], ["resolving"], ["fixed"])
    assert (progress.entries, progress.entries_needed) == (2, 5)
    assert (shop.violation.status, proof.releases) == ("verified_fixed", ("1.1.0",))
    assert (proof.entries, proof.hit_rate) == (5, 1.0)
    assert (proof.queries_before, proof.queries_after) == (HIT, CLEAN)
    assert (proof.duration_ns_before, proof.duration_ns_after) == (250e6, 70e6)
    assert proof.lost_ns_a_day_before == pytest.approx(3 * 0.152e9)
    assert shop.violation.lost_ns_last_day == 0
    assert shop.history() == [
        ("opened", "pending", "open"),
        ("resolving", "open", "resolving"),
        ("fixed", "resolving", "verified_fixed"),
    ]


def test_silence_proves_nothing(shop: Shop):
    """The route is not called any more, in no release."""
    shop.serve(HIT, version="1.0.0", ago_ms=60_000)
    quiet = shop.evaluator.find_silent(quiet_after_ms=30_000)
    changes = shop.look()

    assert [change.event for change in quiet] == ["resolved"]
    assert (changes, shop.violation.status, shop.violation.quiet) == ([], "open", True)


def test_more_of_the_same_release_proves_nothing(shop: Shop):
    """The data have changed, not the code."""
    shop.serve(HIT, version="1.0.0", ago_ms=9_000)
    changes = shop.serve(*[CLEAN] * 9, version="1.0.0")

    assert (changes, shop.violation.status) == ([], "open")


@pytest.mark.slow
def test_a_rare_problem_takes_more_entries(shop: Shop):
    """One of ten entries was hit: five without it happen by chance, and forty-four do not."""
    shop.serve(HIT, *[CLEAN] * 9, version="1.0.0", ago_ms=9_000)
    shop.serve(*[CLEAN] * 17, version="1.1.0")

    proof = shop.violation.proof

    assert (shop.violation.status, proof.entries, proof.entries_needed) == ("resolving", 17, 44)


@pytest.mark.slow
def test_the_old_side_of_a_roll_out_may_go_on(shop: Shop):
    """Both releases run side by side; the new one is proven, and the old one is no regression."""
    shop.serve(HIT, HIT, version="1.0.0", ago_ms=9_000)
    shop.serve(CLEAN, CLEAN, version="1.1.0", ago_ms=8_000)
    shop.serve(HIT, version="1.0.0", ago_ms=7_000)
    proven = shop.serve(CLEAN, CLEAN, CLEAN, version="1.1.0", ago_ms=6_000)
    after = shop.serve(HIT, version="1.0.0", ago_ms=5_000)

    assert (proven, after) == (["fixed"], [])
    assert shop.violation.status == "verified_fixed"


@pytest.mark.slow
def test_a_roll_back_is_proven_by_what_runs_after_it(shop: Shop):
    """What the fixed release did before proves nothing; what it does when it is back does."""
    shop.serve(HIT, version="1.0.0", ago_ms=900_000)
    shop.serve(*[CLEAN] * 5, version="1.1.0", ago_ms=800_000)
    back = shop.serve(HIT, version="1.0.0", ago_ms=100_000)
    rolled_back = shop.violation
    again = shop.look()
    forth = shop.serve(*[CLEAN] * 5, version="1.1.0", ago_ms=90_000)

    assert (back, again, forth) == (["opened"], [], ["fixed"])
    assert (rolled_back.status, rolled_back.reason) == ("open", "rolled back to 1.0.0")


@pytest.mark.slow
def test_a_release_after_a_roll_back_may_bring_it_back(shop: Shop):
    """It was fixed once: a release newer than the fix that has it again is a regression."""
    shop.serve(HIT, version="1.0.0", ago_ms=900_000)
    shop.serve(*[CLEAN] * 5, version="1.1.0", ago_ms=800_000)
    back = shop.serve(HIT, version="1.0.0", ago_ms=100_000)
    brought = shop.serve(HIT, version="1.2.0", ago_ms=90_000)

    assert (back, brought) == (["opened"], ["regressed"])
    assert shop.violation.regressed_version == "1.2.0"


@pytest.mark.slow
def test_what_somebody_opens_again_is_proven_anew(shop: Shop):
    """They know something that the entries so far did not show."""
    shop.serve(HIT, version="1.0.0", ago_ms=9_000)
    shop.serve(*[CLEAN] * 5, version="1.1.0", ago_ms=8_000)
    say(shop, "reopen")
    again = [*shop.look(), *shop.look()]
    after = shop.serve(*[CLEAN] * 5, version="1.1.0", ago_ms=-1_000)

    assert (again, after) == (["reopened"], ["fixed"])


def test_what_comes_back_in_a_later_release_is_a_regression(shop: Shop):
    """The release is named; a further release can prove it fixed again."""
    shop.serve(HIT, version="1.0.0", ago_ms=9_000)
    shop.serve(*[CLEAN] * 5, version="1.1.0", ago_ms=8_000)
    back = shop.serve(HIT, version="1.2.0", ago_ms=7_000)
    regressed = shop.violation
    again = shop.serve(*[CLEAN] * 5, version="1.3.0", ago_ms=6_000)

    assert (back, again) == (["regressed"], ["fixed"])
    assert (regressed.status, regressed.regressed_version) == ("regressed", "1.2.0")
    assert shop.violation.proof.releases == ("1.3.0",)


@pytest.mark.slow
def test_partial_entries_prove_nothing(shop: Shop):
    """What is missing may be the problem."""
    shop.serve(HIT, version="1.0.0", ago_ms=9_000)
    shop.serve(*[CLEAN] * 5, version="1.1.0", ago_ms=8_000)
    partial = "INSERT INTO entries SELECT * REPLACE (true AS partial, generation + 1 AS generation)"
    shop.store.execute(f"{partial} FROM entries FINAL WHERE version = '1.1.0'")
    shop.store.execute("TRUNCATE TABLE violations")
    shop.store.execute("TRUNCATE TABLE violation_changes")
    changes = shop.serve(HIT, version="1.0.0", ago_ms=7_000)

    assert (changes, shop.violation.status) == (["opened"], "open")


@pytest.mark.slow
def test_what_a_rule_could_not_see_proves_nothing(shop: Shop):
    """It failed in that tick."""
    shop.serve(HIT, version="1.0.0", ago_ms=9_000)
    shop.looks = False
    shop.serve(*[CLEAN] * 5, version="1.1.0")
    shop.fixes.note_failed(["n_plus_one"], now_ms=shop.evaluator.now_ms())
    shop.looks = True
    blind = shop.look()
    seeing = shop.serve(*[CLEAN] * 5, version="1.1.0", ago_ms=3_000)

    assert (blind, seeing) == ([], ["fixed"])


@pytest.mark.slow
def test_a_raised_threshold_is_no_fix(shop: Shop):
    """Until it is hit again under the new settings, nothing can be said."""
    shop.serve(HIT, version="1.0.0", ago_ms=9_000)
    shop.restart(min_count=50)
    changes = shop.serve(*[HIT] * 9, version="1.1.0")

    assert (changes, shop.violation.status) == ([], "open")


@pytest.mark.slow
def test_a_restart_with_the_same_settings_loses_nothing(shop: Shop):
    """What was counted before it counts."""
    shop.serve(HIT, version="1.0.0", ago_ms=9_000)
    shop.serve(CLEAN, CLEAN, version="1.1.0", ago_ms=8_000)
    shop.restart()

    assert shop.serve(CLEAN, CLEAN, CLEAN, version="1.1.0", ago_ms=7_000) == ["fixed"]


def say(shop: Shop, action: str) -> None:
    shop.store.insert_rows(
        "violation_actions",
        [
            {
                "id": secrets.token_hex(8),
                "fingerprint": shop.violation.fingerprint,
                "at": time_text(shop.evaluator.now_ms()),
                "action": action,
                "by": "ada",
            }
        ],
    )


@pytest.mark.slow
def test_a_word_is_verified_by_entries_after_it(shop: Shop):
    """A service without versions: somebody says that it is fixed."""
    before = shop.serve(HIT, HIT, version="", ago_ms=9_000)
    say(shop, "resolve")
    claimed = shop.look()
    after = shop.serve(*[CLEAN] * 5, version="", ago_ms=-1_000)
    back = shop.serve(HIT, version="", ago_ms=-9_000)

    assert (before, claimed, after, back) == (["opened"], ["claimed"], ["fixed"], ["regressed"])


@pytest.mark.slow
def test_a_service_is_judged_by_all_its_entries(embedded_store: SpanStore):
    """A rule about services has no route: DEBUG is on, or off."""
    known = shipped_catalogue().rules["debug_enabled"]
    catalogue = Catalogue({"debug_enabled": known})
    evaluator = Evaluator(embedded_store, catalogue=catalogue, timing=AT_ONCE, open_after_hits=1)
    fixes = Fixes(embedded_store, catalogue=catalogue, min_entries=5, now_ms=evaluator.now_ms())
    for version, debug, ago_ms in [("1.0.0", True, 9_000), *[("1.1.0", False, 5_000)] * 5]:
        spans = page(
            0,
            start_ns=now_ns() - ago_ms * MILLISECOND_NS,
            attributes={"hotspan.django.debug": debug},
        )
        embedded_store.insert_spans(request(spans, version=version), token=secrets.token_hex())
        evaluator.tick()

    assert [each.event for each in fixes.find(now_ms=evaluator.now_ms())] == ["fixed"]
