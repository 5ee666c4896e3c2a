"""What people see of violations, traces and rules, and the exit codes that scripts see."""

import json

import pytest

from hotspan_collector.cli.terminal import TIMES
from hotspan_collector.settings import Settings
from hotspan_collector.store.port import SpanStore
from support.api_server import serve_api
from support.otlp_requests import now_ns, request, span
from support.processes import free_port
from support.shop_traces import evaluate, failing_task, new_trace_id, order_list

from .conftest import Run


def test_violations_say_where_what_it_costs_and_what_to_change(hotspan: Run, store: SpanStore):
    """The worst comes first, each in a block of its own."""
    failing_task(store)
    order_list(store, queries=214)
    evaluate(store)

    ran = hotspan("violations")

    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[0].split(maxsplit=1)[0] == "CRITICAL"
    assert lines[0].endswith("1.70 s lost a day")
    assert "N+1 queries in GET orders/" in lines[0]
    assert "/app/shop/views.py:42 in order_list" in ran.stdout
    assert "select_related" in ran.stdout
    assert lines[-1] == "2 violations, 1.75 s lost in the last day."


@pytest.mark.parametrize("columns", [80, pytest.param(140, marks=pytest.mark.slow)])
@pytest.mark.parametrize("command", ["violations", "trace", "rules", "doctor"])
def test_nothing_is_wider_than_the_terminal(hotspan: Run, store: SpanStore, command, columns):
    """Lines are folded, and a pipe gets no colours."""
    arguments = {
        "violations": ["violations"],
        "trace": ["trace", order_list(store, queries=30)],
        "rules": ["rules", "list"],
        "doctor": ["doctor"],
    }[command]
    evaluate(store)

    ran = hotspan(*arguments, columns=columns)

    assert max(len(line) for line in ran.stdout.splitlines()) <= columns
    assert "\x1b" not in ran.stdout


def test_json_is_the_answer_of_the_api(hotspan: Run, store: SpanStore):
    """Scripts get everything, as the API says it."""
    trace_id = order_list(store)
    evaluate(store)

    found = json.loads(hotspan("violations", "--format", "json").stdout)
    trace = json.loads(hotspan("trace", trace_id, "--format", "json").stdout)
    rules = json.loads(hotspan("rules", "list", "--format", "json").stdout)

    assert [each["rule"] for each in found["violations"]] == ["n_plus_one"]
    assert (trace["trace_id"], trace["total_spans"]) == (trace_id, 21)
    assert "n_plus_one" in [each["id"] for each in rules["rules"]]


def test_filters_reach_the_api(hotspan: Run, store: SpanStore):
    """When nothing matches, that is said, and is no failure."""
    order_list(store)
    evaluate(store)

    ran = hotspan("violations", "--service", "other")

    assert (ran.returncode, ran.stdout.strip()) == (0, "No violation matches these options.")


def test_an_empty_store_points_at_the_doctor(hotspan: Run):
    """Nothing found may mean that nothing comes in."""
    ran = hotspan("violations")

    assert ran.returncode == 0
    assert "hotspan doctor" in ran.stdout


def test_a_trace_is_a_tree_with_its_evidence_marked(hotspan: Run, store: SpanStore):
    """What is alike is one line, and what a rule found stands out."""
    trace_id = order_list(store, queries=20)
    evaluate(store)

    folded = hotspan("trace", trace_id).stdout
    every = hotspan("trace", trace_id, "--all").stdout

    assert f"└─ ◆ 20 {TIMES} SELECT … FROM" in folded
    assert every.count("├─ ◆ SELECT … FROM") == 19
    assert f"◆ n_plus_one  warning, confidence medium: 20 {TIMES} in GET orders/" in folded
    assert "→ Load shop_customer" in folded


def test_what_an_application_sent_cannot_command_the_terminal(hotspan: Run, store: SpanStore):
    """Escape sequences in names are shown as what they are: not printable."""
    trace_id = new_trace_id()
    sent = span(
        "\x1b]0;owned\x07 [bold]x[/]", trace_id=trace_id, span_id="01" * 8, start_ns=now_ns()
    )
    store.insert_spans(request([sent]), token=trace_id)

    ran = hotspan("trace", trace_id)

    assert "\x1b" not in ran.stdout
    assert "\ufffd]0;owned\ufffd [bold]x[/]" in ran.stdout


def test_a_cut_trace_says_so(hotspan: Run, store: SpanStore):
    """Which setting shows the rest is said."""
    trace_id = order_list(store, queries=30)
    with serve_api(store, settings=Settings(max_trace_spans=10)) as url:
        ran = hotspan("trace", trace_id, "--api-url", url)

    assert "21 more spans" in ran.stdout
    assert "HOTSPAN_MAX_TRACE_SPANS" in ran.stdout


def test_rules_are_listed_with_their_settings(hotspan: Run):
    """A setting has its value, its unit and its reason."""
    ran = hotspan("rules", "list")

    assert "n_plus_one  N+1 queries" in ran.stdout
    assert "min_count = 5 queries." in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["trace", "ab" * 16], 1, "is stored"),
        (["trace", "xyz"], 2, "32 hex digits"),
        (["violations", "--severity", "fatal"], 2, "'info', 'warning' or 'critical'"),
        (["violations", "--limit", "5000"], 2, "HOTSPAN_API_MAX_PAGE"),
        (["violations", "--format", "xml"], 2, "--format"),
    ],
)
def test_what_cannot_be_answered_has_a_code_and_words(hotspan: Run, arguments, code, said):
    """Scripts read the code, people what stands on standard error."""
    ran = hotspan(*arguments)

    assert (ran.returncode, ran.stdout) == (code, "")
    assert said in " ".join(ran.stderr.split())


def test_an_api_that_is_not_there_has_a_code_of_its_own(hotspan: Run):
    """What to start, and how to name another address, is said."""
    url = f"http://127.0.0.1:{free_port()}"
    ran = hotspan("violations", HOTSPAN_API_URL=url)

    assert ran.returncode == 3
    assert "hotspan serve" in ran.stderr
    assert "HOTSPAN_API_URL" in ran.stderr


def test_a_key_comes_from_the_environment(hotspan: Run, store: SpanStore):
    """Without it the refusal says where to put it."""
    with serve_api(store, settings=Settings(api_keys=("secret",))) as url:
        refused = hotspan("violations", HOTSPAN_API_URL=url)
        let_in = hotspan("violations", HOTSPAN_API_URL=url, HOTSPAN_API_KEY="secret")

    assert (refused.returncode, let_in.returncode) == (3, 0)
    assert "HOTSPAN_API_KEY" in refused.stderr


@pytest.mark.parametrize("command", [["violations"], ["trace"], ["doctor"], ["rules", "list"]])
def test_help_has_examples_and_exit_codes(hotspan: Run, command):
    """Nobody has to look elsewhere."""
    ran = hotspan(*command, "--help")

    assert "Examples:" in ran.stdout
    assert "Exit codes:" in ran.stdout


def test_something_can_be_said_of_a_violation(hotspan: Run, store: SpanStore):
    """Who said it, why, and until when, stand in what is shown."""
    order_list(store)
    evaluate(store)
    violation_id = json.loads(hotspan("violations", "--format", "json").stdout)["violations"][0][
        "id"
    ]
    options = ["--ignore", "--until-hits", "5", "--until-release", "--reason", "known"]
    ignored = hotspan("violations", violation_id, *options, "--by", "ada", columns=140)
    again = hotspan("violations", violation_id, "--unignore")
    refused = hotspan("violations", violation_id, "--unignore")

    assert "ignored by ada until 5 more hits or the next release: known" in ignored.stdout
    assert again.returncode == 0
    assert refused.returncode == 1
    assert "is for those that are ignored" in refused.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--ignore", "--resolve"], "exclude each other"),
        (["--until", "7d"], "use it with --ignore"),
        (["--reason", "because"], "belong to"),
    ],
)
def test_options_that_do_not_fit_together_are_named(hotspan: Run, options, said):
    """Nothing is asked of the API."""
    ran = hotspan("violations", "v1:1", *options)

    assert ran.returncode == 2
    assert said in ran.stderr


def test_values_of_a_rule_are_set_and_taken_back(hotspan: Run):
    """For a place; what cannot be used is refused."""
    where = ["--service", "shop", "--entry", "GET erp/*"]
    done = hotspan("rules", "set", "n_plus_one", "min_count=20", *where)
    taken_back = hotspan("rules", "unset", "n_plus_one", done.stdout.split()[2].rstrip(";"))
    refused = hotspan("rules", "set", "n_plus_one", "min_count=many")
    unreadable = hotspan("rules", "set", "n_plus_one", "min_count")
    shown = hotspan("rules", "show", "n_plus_one")

    assert done.stdout.startswith("Set as ")
    assert taken_back.returncode == 0
    assert (refused.returncode, unreadable.returncode) == (2, 2)
    assert "expected UInt32" in refused.stderr
    assert "min_count = 5" in shown.stdout
