"""What pages show, as functions of the API's answers."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hotspan_ui import frame, links
from hotspan_ui.models import Code, Span, Status, Trace, TraceSummary, Violation, ViolationDetail
from hotspan_ui.views import span, status, text, trace, traces, violations, waterfall
from ui import sample_api

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


def n_plus_one() -> Trace:
    return Trace.model_validate(sample_api.n_plus_one_trace())


def test_waterfall_highlights_evidence():
    """Evidence is flagged, its fold too, and what is folded with it is marked alike."""
    shown = n_plus_one()
    evidence = waterfall.evidence_of(shown.findings, sample_api.N_PLUS_ONE)

    made = waterfall.payload(shown, evidence=evidence, selected="", unfold_evidence=True)

    flags = dict(zip(made["id"], made["flags"], strict=True))
    fold = next(each for each in made["id"] if each.startswith("fold-"))
    assert flags[fold] == waterfall.EVIDENCE | waterfall.OPEN
    assert sum(flags[span_id] == waterfall.EVIDENCE for span_id in evidence) == 20
    assert sum(flag == waterfall.ALIKE for flag in made["flags"]) == 210


def test_waterfall_sends_words_once():
    """230 equal statements cross the wire as one."""
    made = waterfall.payload(n_plus_one(), evidence=frozenset(), selected="", unfold_evidence=False)

    assert len(set(made["words"])) == len(made["words"])
    assert "FROM shop_customer WHERE shop_customer.id = %s LIMIT 21" in made["words"]
    assert len(made["id"]) == 238


def test_evidence_of_one_violation():
    """Of several findings in a trace, only those of the violation asked for are highlighted."""
    shown = n_plus_one()

    assert frozenset() == waterfall.evidence_of(shown.findings, "v1:another")
    assert len(waterfall.evidence_of(shown.findings, "")) == 20


@pytest.mark.parametrize(
    ("asked", "evidence", "expected"),
    [
        (f"{5:016x}", {f"{100:016x}"}, f"{5:016x}"),
        ("", {f"{100:016x}"}, f"{100:016x}"),
        ("of another trace", set(), f"{1:016x}"),
    ],
)
def test_initial_span(asked, evidence, expected):
    """The span asked for is selected; else the first evidence; else the first of all."""
    chosen = waterfall.initial_span(n_plus_one(), asked=asked, evidence=frozenset(evidence))

    assert expected == chosen


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        (0, "0 µs"),
        (0.0421, "42 µs"),
        (1, "1.00 ms"),
        (12.345, "12.3 ms"),
        (999.4, "999 ms"),
        (1840, "1.84 s"),
        (61_000, "1 min 1 s"),
        (5_240_000, "1 h 27 min"),
        (-5, "-5.00 ms"),
    ],
)
def test_durations(milliseconds, expected):
    """A duration has three digits and the unit that reads best."""
    assert expected == text.duration(milliseconds)


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=23), "23 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=40), "40 days ago"),
    ],
)
def test_ages(ago, expected):
    """An age has one unit."""
    assert expected == text.ago(NOW - ago, now=NOW)


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "0"), (9_999, "9,999"), (12_345, "12.3 k"), (1_284_302, "1.28 M")]
)
def test_compact_numbers(number, expected):
    """Large numbers are told as people say them."""
    assert expected == text.compact(number)


@given(st.text())
def test_escaped_text_is_text(value):
    """Markdown makes nothing of escaped text: no link, no emphasis, no HTML, no code."""
    inline = MarkdownIt("commonmark").parseInline(text.escaped(value))[0].children or []

    assert {"text", "text_special", "entity"} >= {token.type for token in inline}


@given(st.text())
def test_rich_text_is_escaped(value):
    """Backticks make code, and nothing else makes any element."""
    made = frame.rich(value).replace("<code>", "").replace("</code>", "")

    assert "<" not in made
    assert ">" not in made


def test_code_in_rich_text():
    """What stands in backticks is set as code; an unpaired backtick stays one."""
    assert frame.rich("use `a<b` now") == "use <code>a&lt;b</code> now"
    assert frame.rich("a ` b") == "a ` b"


def test_place():
    """A place is file:line, and in lists only the end of its path."""
    code = Code(file="/srv/shop/payments/gateway/client.py", line=118)

    assert text.place(code) == "/srv/shop/payments/gateway/client.py:118"
    assert text.short_place(code) == "…/payments/gateway/client.py:118"
    assert text.place(Code(file="a\\b.py", line=1)) == "a\\b.py:1"


def test_statements_are_laid_out():
    """A statement is laid out for reading; a huge one is shown as it came."""
    assert text.statement("select a from b") == "SELECT a\nFROM b"
    huge = "select " + "a, " * 20_000
    assert huge == text.statement(huge)


def test_ranking():
    """Violations that cost most a day come first; severity decides between equals."""
    found = [
        Violation.model_validate(
            sample_api.violation(name, "r", name, lost_seconds_per_day=lost, severity=severity)
        )
        for name, lost, severity in [
            ("cheap", 1.0, "critical"),
            ("equal-info", 5.0, "info"),
            ("equal-critical", 5.0, "critical"),
            ("dear", 99.0, "info"),
        ]
    ]

    assert [each.id for each in violations.ranked(found)] == [
        "dear",
        "equal-critical",
        "equal-info",
        "cheap",
    ]


def test_violation_row():
    """A row says what, where, what it costs and when, and leads to the violation."""
    found = Violation.model_validate(sample_api.violations()[0])

    row = violations.table_row(found, now=NOW)

    assert row.url == "./violation?id=v1%3A9f2c41d07be35a68"
    assert [(cell.text, cell.sub) for cell in row.cells] == [
        ("critical", ""),
        ("N+1 queries in GET /orders/", found.summary),
        ("shop/views/orders.py:42", "in order_list"),
        ("shop-web", "production"),
        ("1 h 27 min", "1,204 of 1,311 hit"),
        ("1.84 s", "\N{MULTIPLICATION SIGN} 230"),
        ("59 min ago", ""),
    ]


def test_violation_without_code_or_cost():
    """What is not known is said to be so, and no cost is no number."""
    found = Violation.model_validate(sample_api.violations()[2])

    cells = violations.table_row(found, now=NOW).cells

    assert cells[2].text == "not known"
    assert cells[4].text == text.NOTHING
    assert cells[6].sub == "quiet"


def test_settings_show_the_default_where_it_differs():
    """A setting that was changed shows its default beside it."""
    detail = ViolationDetail.model_validate(sample_api.detail(sample_api.violations()[0]))

    assert [violations.setting_text(each) for each in detail.rule_info.settings] == [
        "5 queries",
        "150 ms (default 200)",
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, text.NOTHING),
        (True, "yes"),
        (0.7612345678, "0.761235"),
        (["a", 1], "a, 1"),
        ([], "none"),
        ({"a": None}, f"a: {text.NOTHING}"),
    ],
)
def test_measured_values(value, expected):
    """JSON values are shown as people write them."""
    assert expected == violations.value_text(value)


def test_releases():
    """The releases a violation was seen in are told once if they are the same."""
    seen = {
        (first, last): violations.releases(
            Violation.model_validate(
                sample_api.violation("v", "r", "t", first_release=first, last_release=last)
            )
        )
        for first, last in [("", ""), ("1", "1"), ("1", "2"), ("", "2")]
    }

    assert seen == {
        ("", ""): "",
        ("1", "1"): "release 1",
        ("1", "2"): "releases 1 to 2",
        ("", "2"): "release 2",
    }


def test_search_becomes_a_query():
    """What people fill in becomes the API's parameters; what they leave out does not."""
    search = traces.Search(
        service="shop-web",
        error="yes",
        min_ms="250 ms",
        attributes="http.route=/orders, db.system.name=postgresql",
        window="1h",
    )

    assert search.query(now=NOW) == (
        ("service", "shop-web"),
        ("min_duration_ms", "250"),
        ("error", "true"),
        ("attribute", "http.route=/orders"),
        ("attribute", "db.system.name=postgresql"),
        ("since", "2026-11-22T05:00:00.000Z"),
    )


def test_times_of_a_search_are_local():
    """A time without a zone is the reader's; the API gets UTC."""
    search = traces.Search(since="2026-11-22T14:30", until="2026-11-22T14:30Z")

    assert search.query(now=NOW, zone=ZoneInfo("Europe/Berlin")) == (
        ("since", "2026-11-22T13:30:00.000Z"),
        ("until", "2026-11-22T14:30:00.000Z"),
    )


@pytest.mark.parametrize(
    ("search", "advice"),
    [
        (traces.Search(min_ms="soon"), "Write milliseconds"),
        (traces.Search(max_ms="-1"), "Write milliseconds"),
        (traces.Search(min_ms="inf"), "Write milliseconds"),
        (traces.Search(attributes="http.route"), "key=value"),
        (traces.Search(since="yesterday"), "2026-11-22T14:30"),
    ],
)
def test_search_errors_say_what_to_write(search, advice):
    """A field that cannot be understood is answered with how to write it."""
    with pytest.raises(traces.SearchError, match=advice):
        search.query(now=NOW)


def test_trace_rows():
    """A trace's row tells its result, red only where it failed, and leads to the trace."""
    summaries = [TraceSummary.model_validate(each) for each in sample_api.summaries()]

    rows = [traces.table_row(each, now=NOW, zone=None) for each in summaries]

    assert f"./trace?trace_id={sample_api.N_PLUS_ONE_TRACE}&span_id={1:016x}" == rows[0].url
    assert (rows[0].cells[3].text, rows[0].cells[3].tone) == ("200", "muted")
    assert (rows[11].cells[3].text, rows[11].cells[3].tone) == ("500", "critical")
    assert rows[3].cells[1].sub == "web · 1.0.2 · incomplete"
    assert len(traces.points(summaries, zone=None)) == 60


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (timedelta(0), "%H:%M:%S"),
        (timedelta(hours=1), "%H:%M"),
        (timedelta(days=3), "%b %d %H:%M"),
    ],
)
def test_chart_times(width, expected):
    """The chart writes times as exactly as its width asks for."""
    first = TraceSummary.model_validate(sample_api.summaries()[0])
    last = first.model_copy(update={"start": first.start + width})

    assert expected == traces.time_format([first, last])


def test_incomplete_traces_warn():
    """A trace with missing parents, or cut short, says so."""
    nasty = Trace.model_validate(sample_api.nasty_trace())
    cut = Trace.model_validate(sample_api.n_plus_one_trace() | {"truncated": True})

    assert [each[:17] for each in trace.warnings(nasty)] == ["1 parent span has"]
    assert "Only the first 237" in trace.warnings(cut)[0]
    assert trace.warnings(n_plus_one()) == ()
    assert trace.title(n_plus_one()) == "GET /orders/"


def test_span_tabs():
    """A span's tabs say how much is in each, and the statement is not shown twice."""
    with sample_api.serve() as api:
        carried = api._span(sample_api.N_PLUS_ONE_TRACE, f"{100:016x}")[1]
    carried["attributes"]["db.query.text"] = carried["statement"]

    made = span.tabs(Span.model_validate(carried))

    assert [each.title for each in made] == ["Attributes 5", "Events 1", "Links 1", "Resource"]
    assert made[1].sections[0].title == "exception, after 700 µs"
    assert ("otel.scope.pool", "3") in made[3].sections[0].pairs
    assert links.trace(sample_api.CELERY_TRACE, span_id=f"{2:016x}") == made[2].sections[0].link


def test_status():
    """The state of the collector fits one line; nothing evaluated is not zero."""
    state = Status.model_validate(sample_api.status())

    assert status.line(state) == (
        "Evaluated up to 3.40 s ago",
        "1.28 M spans stored",
        "2 entries waiting",
    )
    assert status.lag(None) == "Nothing evaluated yet"
    assert status.facts(state, now=NOW)[1].value == "59 min ago"


def test_traces_that_could_not_be_evaluated_are_named():
    """And nothing is said while all could be."""
    state = Status.model_validate(sample_api.status())
    aside = state.model_copy(update={"traces_set_aside": {"ab" * 16: "too large"}})

    assert status.set_aside(state) == ""
    assert status.set_aside(aside).endswith(f" {'ab' * 16}: too large")


@given(st.text(), st.text(), st.text())
def test_links_carry_any_text(trace_id, span_id, violation_id):
    """Whatever the ids hold, the URL gives them back, and stays on this server."""
    link = links.trace(trace_id, span_id=span_id, violation_id=violation_id)
    parts = urlsplit(link.url)

    assert parts.path == "./trace"
    assert dict(link.parameters) == dict(parse_qsl(parts.query, keep_blank_values=True))
