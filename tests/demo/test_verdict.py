"""The demo passes when everything was found that must be found, and nothing else."""

import json

import pytest
from rich.console import Console

from hotspan_collector.api.models import Code, Evidence, Finding
from hotspan_demo.client import Found
from hotspan_demo.model import Case, Clean, Pair, Request, TaskRuns
from hotspan_demo.report import Result, as_json, print_table
from hotspan_demo.verdict import judge

PAIR = Pair(
    rule="n_plus_one",
    entry="GET erp/orders/",
    count=200,
    words=("select_related", "prefetch_related"),
    file="shop/erp/orders.py",
)
HEALTH = Clean(title="Health", trigger=Request(method="GET", path="/", entry="GET health/"))
RULES = {"n_plus_one", "task_failure"}


def case(*pairs):
    return Case(id="order-list", title="Order list", triggers=(), pairs=pairs)


def finding(**changes):
    fields = {
        "rule": "n_plus_one",
        "severity": "critical",
        "confidence": "medium",
        "service": "shop-web",
        "entry": "GET erp/orders/",
        "entry_span_id": "1" * 16,
        "trace_id": "2" * 32,
        "fingerprint": "v1:abc",
        "count": 204,
        "wasted_ms": 12.0,
        "evidence": Evidence(span_ids=["3" * 16]),
        "suggestion": 'Use select_related("product").',
        "code": Code(file="/srv/shop/erp/orders.py", line=46, function="item_row"),
    }
    return Finding(**{**fields, **changes})


def verdict(*findings, pairs=(PAIR,), clean=(HEALTH,), rules=RULES, has_problems=True):
    return judge(
        findings, cases=[case(*pairs)], clean=clean, rules=rules, has_problems=has_problems
    )


def test_a_pair_is_found():
    """A finding of the rule, in the entry, with all that the pair asks for."""
    judged = verdict(finding())

    assert (judged.pairs[0].status, judged.passed) == ("found", True)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"count": 199}, "its count is 199 instead of 200 or more"),
        ({"suggestion": "Think."}, "its suggestion names none of"),
        ({"code": None}, "it points to nothing instead of shop/erp/orders.py"),
        ({"entry": "GET erp/customers/"}, "nothing was found"),
        ({"rule": "slow_query"}, "nothing was found"),
    ],
)
def test_a_pair_is_missing(changes, reason):
    """The verdict says what a finding lacks to be the one that must be found."""
    judged = verdict(finding(**changes))

    assert (judged.pairs[0].status, judged.passed) == ("missing", False)
    assert reason in judged.pairs[0].reason


def test_a_pair_without_rule_comes_later():
    """Rules that are not there yet do not fail the demo."""
    judged = verdict(rules=set())

    assert (judged.pairs[0].status, judged.passed) == ("later", True)


@pytest.mark.parametrize("name", ["run/shop.erp.tasks.pay", "shop.erp.tasks.pay"])
def test_tasks_have_two_names(name):
    """A task is known as `run/name`, or as name alone."""
    pair = Pair(rule="task_failure", entry="run/shop.erp.tasks.pay")

    judged = verdict(finding(rule="task_failure", entry=name), pairs=[pair])

    assert judged.passed


def test_clean_pages_must_stay_clean():
    """A finding on a clean page fails the demo, in either release."""
    judged = verdict(finding(), finding(entry="GET health/"))

    assert (judged.passed, len(judged.clean[0].findings)) == (False, 1)


def test_service_wide_findings_are_nobodys():
    """DEBUG is on wherever one looks: that says nothing about a page."""
    judged = verdict(finding(), finding(rule="debug_enabled", entry="GET health/"))

    assert judged.passed


def test_a_clean_task_may_have_what_it_is_excepted_from():
    """A task that is retried by design is allowed its retries."""
    clean = Clean(
        title="Retried",
        trigger=TaskRuns(task="rates", runs=((),)),
        except_rules=frozenset({"task_retry_storm"}),
    )

    judged = verdict(finding(), finding(rule="task_retry_storm", entry="run/rates"), clean=[clean])

    assert judged.passed


def test_the_fix_must_make_it_go_away():
    """In release 1.1.0 a pair that is still found fails the demo, however small it became."""
    judged = verdict(finding(count=5), has_problems=False)

    assert not judged.passed


def test_the_fix_without_findings_passes():
    """In release 1.1.0 nothing is what must be found."""
    assert verdict(has_problems=False).passed


def test_what_the_fix_leaves_is_allowed_to_remain():
    """Where the audit itself left something, it may be found."""
    pair = Pair(rule="n_plus_one", entry="GET erp/orders/", remains="18-22 queries")

    assert verdict(finding(), pairs=[pair], has_problems=False).passed


@pytest.fixture
def result():
    found = Found(title="N+1 queries", summary="204 times", hits=4, finding=finding())
    return Result(
        release="1.0.0",
        found=[found],
        verdict=verdict(found.finding),
        incomplete=[],
        ui_url="http://127.0.0.1:8501",
    )


def test_json_has_the_fields_of_check(result):
    """Programs get findings as from `hotspan check`, the pairs, and what was clean."""
    document = json.loads(as_json(result))

    assert finding().model_dump(mode="json") == document["findings"][0]
    assert document["pairs"][0] == {
        "case": "order-list",
        "rule": "n_plus_one",
        "entry": "GET erp/orders/",
        "status": "found",
        "reason": "",
        "remains": "",
    }
    assert document["clean"] == [{"title": "Health", "entry": "GET health/", "rules": []}]


def test_table_says_what_where_cost_and_change(result):
    """People get each violation with its rule, place, cost, remedy and address."""
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    with console.file:
        print_table(console, result, with_urls=True)
    text = console.export_text()

    for expected in (
        "n_plus_one in GET erp/orders/",
        "/srv/shop/erp/orders.py:46 in item_row",
        "12 ms an entry; 204 times in the worst of 4 entries",
        'select_related("product")',
        "http://127.0.0.1:8501/violation?id=v1%3Aabc",
    ):
        assert expected in text


def test_a_timeout_fails(result):
    """Entries that were not evaluated in time fail the run, whatever was found."""
    late = Result(
        release=result.release,
        found=result.found,
        verdict=result.verdict,
        incomplete=["GET health/: 1 of 2 entries"],
        ui_url=result.ui_url,
    )

    assert (result.passed, late.passed) == (True, False)
