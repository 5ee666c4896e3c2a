"""Each page, run by Streamlit itself against an API over HTTP."""

import re

import pytest
from ui.shown import cells, components, html, show

from hotspan_ui import settings
from ui import sample_api


def test_violations_are_ranked(api):
    """The first page lists violations, those that cost most first."""
    app = show()

    assert app.title[0].value == "Violations"
    assert [cells(app, row)[1] for row in range(4)] == [
        "N+1 queries in GET /orders/",
        "Slow external call in shop.charge",
        f"{sample_api.SCRIPT} in {sample_api.MARKDOWN}",
        "Task failed in shop.sync_stock",
    ]
    assert "4 violations" in html(app)
    assert "Evaluated up to 3.40 s ago" in html(app)


def test_filters_come_from_the_url(api):
    """A URL with filters shows only what matches them."""
    app = show(severity="critical", environment="staging")

    assert cells(app, 0)[1] == "Task failed in shop.sync_stock"
    assert len(components(app)[0]["rows"]) == 1


def test_choosing_a_filter_asks_the_api(api):
    """Choosing a filter asks the API for it, and nothing is filtered in the UI."""
    app = show()
    app.selectbox(key="violations-service").select("shop-worker").run()

    asked = [dict(query) for path, query in api.asked if path == "/api/v1/violations"]
    assert asked[-1] == {"service": "shop-worker", "limit": "200"}
    assert len(components(app)[0]["rows"]) == 2


def test_filter_of_an_old_link(api):
    """A value that no service has any more stays chosen, and the page says nothing matches."""
    app = show(service="retired")

    assert app.selectbox(key="violations-service").value == "retired"
    assert "No violation matches these filters" in html(app)


def test_links_win_over_what_was_chosen(api):
    """A link followed within the session clears what was chosen before."""
    app = show()
    app.selectbox(key="violations-service").select("shop-worker").run()
    app.query_params.clear()
    app.run()

    assert app.selectbox(key="violations-service").value == ""
    assert len(components(app)[0]["rows"]) == 4


def test_new_search_begins_at_its_first_page(api):
    """Changing a filter on a later page goes back to the first."""
    app = show("traces", cursor="50")
    app.selectbox(key="traces-service").select("shop-web").run()

    asked = [dict(query) for path, query in api.asked if path == "/api/v1/traces"][-1]
    assert asked == {"service": "shop-web", "limit": "50"}


def test_no_violations(api):
    """Where spans arrive and no rule found anything, the page says so."""
    api.found = []

    app = show()

    assert "no rule has found anything" in html(app)


@pytest.mark.parametrize("page", ["", "traces"])
def test_onboarding(api, page):
    """Before the first span, pages show how to send one."""
    api.spans_stored = 0

    app = show(page)

    assert "Waiting for the first span" in html(app)
    assert "opentelemetry-instrument gunicorn shop.wsgi" in app.code[0].value


def test_violation_says_what_where_cost_and_fix(api):
    """A violation's page says what happened, where, what it costs and what to change."""
    app = show("violation", id=sample_api.N_PLUS_ONE)

    assert app.code[0].value == "shop/views/orders.py:42"
    page = html(app)
    assert "<code>shop_customer</code> is loaded once per order" in page
    assert "<code>select_related(&quot;customer&quot;)</code>" in page
    assert "1 h 27 min" in page
    assert "150 ms (default 200)" in page


def test_violation_shows_its_evidence(api):
    """The evidence trace is drawn with its offending spans flagged, the first one selected."""
    app = show("violation", id=sample_api.N_PLUS_ONE)
    drawn, occurrences = components(app)

    assert f"{100:016x}" == drawn["selected"]
    assert sum(bool(flag & 2) for flag in drawn["flags"]) == 21
    assert len(occurrences["rows"]) == 3
    assert "shop_customer" in app.code[2].value


def test_violation_without_call_site(api):
    """Where spans could have told a line and do not, the page says how to get one."""
    n_plus_one = next(each for each in api.found if each["rule"] == "n_plus_one")
    n_plus_one["code"] = None
    app = show("violation", id=n_plus_one["id"])

    assert "pip install hotspan" in html(app)


def test_violation_of_no_single_line(api):
    """What is about a whole task or service does not ask for call sites."""
    app = show("violation", id=sample_api.TASK_FAILURE)

    assert "it is about shop.sync_stock as a whole" in html(app)
    assert "pip install hotspan" not in html(app)


def test_unknown_violation(api):
    """A violation that does not exist is not found, in words."""
    app = show("violation", id="v1:gone")

    assert "There is no such violation." in html(app)


@pytest.mark.parametrize(("page", "words"), [("violation", "id=v1:"), ("trace", "trace_id=")])
def test_page_without_id(api, page, words):
    """A detail page without an id says what its URL looks like."""
    app = show(page)

    assert words in html(app)


def test_trace_highlights_the_violation(api):
    """A trace reached from a violation highlights that violation's evidence, folds open."""
    app = show("trace", trace_id=sample_api.N_PLUS_ONE_TRACE, violation=sample_api.N_PLUS_ONE)
    drawn = components(app)[0]

    assert sum(flag == 2 for flag in drawn["flags"]) == 20
    assert sum(flag == 2 | 16 for flag in drawn["flags"]) == 1


def test_trace_selects_the_span_of_the_url(api):
    """The span named in the URL is selected and shown in full."""
    app = show("trace", trace_id=sample_api.CELERY_TRACE, span_id=f"{4:016x}")

    assert f"{4:016x}" == components(app)[0]["selected"]
    assert app.subheader[0].value == "POST"
    assert app.error[0].value == "upstream timed out"
    assert [each.label for each in app.tabs] == ["Attributes 5", "Events 1", "Links 1", "Resource"]


def test_large_trace(api):
    """10,000 spans are drawn; only one of them is fetched in full."""
    app = show("trace", trace_id=sample_api.HUGE_TRACE)

    assert sum(not members for members in components(app)[0]["members"]) == 10_000
    assert sum("/spans/" in path for path, _ in api.asked) == 1


@pytest.mark.parametrize("page", ["violation", "trace"])
def test_markup_is_shown_as_text(api, page):
    """Names that are HTML or Markdown are shown letter by letter."""
    app = show(page, id=sample_api.NASTY, trace_id=sample_api.NASTY_TRACE)

    assert "<script" not in html(app)
    assert "<img" not in html(app)
    written = [*app.title, *app.subheader, *app.caption, *app.warning, *app.error]
    assert not any(re.search(r"(?<!\\)[<\[]", each.value) for each in written)


def test_traces_ask_for_what_was_searched(api):
    """A search's URL becomes the API's query, attributes one by one."""
    show(
        "traces",
        service="shop-web",
        error="yes",
        attributes="http.route=/orders,db.system.name=postgresql",
    )

    asked = [query for path, query in api.asked if path == "/api/v1/traces"][-1]
    assert asked == [
        ("service", "shop-web"),
        ("error", "true"),
        ("attribute", "http.route=/orders"),
        ("attribute", "db.system.name=postgresql"),
        ("limit", "50"),
    ]


def test_older_traces(api):
    """The second page begins where the first ended, and its URL says so."""
    first = show("traces")
    older = first.get("page_link")[-1].proto.query_string
    second = show("traces", cursor="50")

    assert older == "cursor=50"
    assert len(components(first)[0]["rows"]) == 50
    assert len(components(second)[0]["rows"]) == 10


def test_custom_time_range(api):
    """Choosing a time range of one's own gives fields for it."""
    show("traces", window="custom", since="2026-11-22T04:00Z")

    asked = [dict(query) for path, query in api.asked if path == "/api/v1/traces"][-1]
    assert asked["since"] == "2026-11-22T04:00:00.000Z"


def test_search_that_cannot_be_understood(api):
    """A field with nonsense is answered with how to write it, and the API is not asked."""
    app = show("traces", min_ms="soon")

    assert "Write milliseconds" in app.warning[0].value
    assert "/api/v1/traces" not in [path for path, _ in api.asked]


def test_no_traces(api):
    """A search without result says what to try."""
    app = show("traces", service="nobody")

    assert "No trace matches" in html(app)


def test_api_down(monkeypatch):
    """Without an API, the page says where it looked and how to start one."""
    with sample_api.serve() as gone:
        url = gone.url
    monkeypatch.setenv("HOTSPAN_API_URL", url)
    settings.load.cache_clear()

    app = show()

    settings.load.cache_clear()
    assert f"Nothing answers at {url}" in html(app)
    assert "hotspan serve" in app.code[0].value


def test_api_error_is_told(api):
    """What the API says about its trouble reaches the reader."""
    api.broken = True

    app = show()

    assert "The store is restarting. Wait." in html(app)


def test_api_key(api, monkeypatch):
    """An API that asks for a key gets it; without one the page names the setting."""
    api.key = "secret"
    without = html(show())
    monkeypatch.setenv("HOTSPAN_API_KEY", "secret")
    settings.load.cache_clear()

    assert "Set HOTSPAN_API_KEY" in without
    assert "4 violations" in html(show())


def test_only_what_is_somebodys_work_is_listed(api):
    """What is verified fixed is found by its status, with what has changed."""
    active = show()
    fixed = show(status="verified_fixed")

    assert len(components(active)[0]["rows"]) == 4
    assert cells(fixed, 0)[1] == "Chain of queries in GET /accounts/"


def test_a_fix_shows_before_and_after(api):
    """Queries, time and loss, and how many entries prove it."""
    app = show("violation", id=sample_api.FIXED)
    shown = html(app)

    assert "Verified fixed: 44 entries of 1.1.0 ran without it" in shown
    assert "151 → 16" in shown
    assert "4.51 s → 610 ms" in shown
    assert "44 of 44" in shown
    assert "What became of it" in [each.value for each in app.subheader]


def test_something_can_be_said_of_a_violation(api):
    """It is asked of the API, in a name, and the page shows what became of it."""
    app = show("violation", id=sample_api.N_PLUS_ONE)
    form = "say-ignore"
    app.selectbox[0].select("Until the next release")
    said = [each for each in app.text_input if each.form_id == form]
    said[0].input("with the new warehouse")
    said[1].input("ada")
    [button] = [each for each in app.button if each.form_id == form]
    button.click().run()

    assert api.said == [
        (
            f"/api/v1/violations/{sample_api.N_PLUS_ONE.replace(':', '%3A')}/ignore",
            {"by": "ada", "reason": "with the new warehouse", "next_release": True},
        )
    ]
    assert "Ignored by ada: with the new warehouse." in html(app)
    assert app.query_params["id"] == sample_api.N_PLUS_ONE


def test_a_refusal_is_shown_where_it_was_asked(api):
    """Somebody else was faster."""
    api.refusal = "This violation is ignored."
    app = show("violation", id=sample_api.N_PLUS_ONE)
    [button] = [each for each in app.button if each.form_id == "say-acknowledge"]
    button.click().run()

    assert "This violation is ignored" in app.error[0].value
