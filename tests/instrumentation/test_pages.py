"""Templates, users and signals, as a request's span tells of them."""

import httpx
import pytest

from support.span_attributes import attributes, starting_with

ENV = {
    "DJANGO_SETTINGS_MODULE": "bookshop.settings_pages",
    "OTEL_BSP_SCHEDULE_DELAY": "100",
    "HOTSPAN_USERS": "true",
}


@pytest.fixture(scope="module")
def get(shared_bookshop, shared_sink):
    """Ask for a page, with the cookies so far, and return its span and those below it."""
    _, url = shared_bookshop.gunicorn("--workers", "1", env=ENV)
    with httpx.Client(trust_env=False, timeout=30) as client:

        def get(page: str):
            shared_sink.requests.clear()
            client.get(f"{url}/pages/{page}/").raise_for_status()
            (entry,) = shared_sink.wait_for(f"GET pages/{page}/")
            return entry, [span for span in shared_sink.spans() if span != entry]

        yield get


def test_templates_are_counted(get):
    """A template is counted once, with what it includes; its queries name the view's line."""
    entry, others = get("rendered")
    found = starting_with(entry, "hotspan.template.")

    assert found.pop("hotspan.template.time_ms") > 0
    assert found == {"hotspan.template.renders": 1}
    assert [span.name for span in others].count("SELECT") == 3


def test_slow_templates(get):
    """A slow one has a span of its own, with its name."""
    entry, (render,) = get("rendered_slowly")

    assert render.name == "render books/slow.html"
    assert render.parent_span_id == entry.span_id
    assert attributes(render)["hotspan.template.name"] == "books/slow.html"
    assert attributes(entry)["hotspan.template.time_ms"] >= 30


def test_templates_of_jinja(get):
    """Jinja's are counted as Django's are, with what they include, and slow ones have spans."""
    entry, others = get("rendered_by_jinja")

    renders = [span for span in others if span.name.startswith("render")]
    assert attributes(entry)["hotspan.template.renders"] == 1
    assert [span.name for span in renders] == ["render books/list.jinja"]
    assert attributes(entry)["hotspan.template.time_ms"] >= 30
    assert {attributes(span)["code.function.name"] for span in others if span.name == "SELECT"} == {
        "books.pages.rendered_by_jinja"
    }


def test_users(get, shared_sink):
    """A user is told from others, where the view knows who it is, and by a hash alone."""
    by_login, _ = get("signed_in")
    by_session, _ = get("of_a_user")
    exported = b"".join(request.SerializeToString() for request in shared_sink.requests)

    first, again = (attributes(span)["user.hash"] for span in (by_login, by_session))
    assert first == again
    assert len(first) == 16
    assert b"jane" not in exported


def test_users_are_not_asked_for(get):
    """A view that does not look at its user makes no query, and neither do we."""
    get("signed_in")
    entry, others = get("of_nobody")

    assert "user.hash" not in attributes(entry)
    assert others == []


def test_signals_that_query_or_call(get):
    """A signal whose receivers make queries or calls is named, with their number."""
    entry, _ = get("everything")
    found = starting_with(entry, "hotspan.signal.")

    assert found["hotspan.signal.post_save.calls"] == 1
    assert found["hotspan.signal.user_logged_in.queries"] == 1
    assert found["hotspan.signal.user_logged_in.receivers"] == [
        "django.contrib.auth.models.update_last_login"
    ]


# By each switch, what is there because of it.
FAMILIES = {
    "HOTSPAN_CALL_SITE": "code.function.name",
    "HOTSPAN_CELERY_TASKS": "hotspan.task.outcome",
    "HOTSPAN_CLIENT_CALLS": "hotspan.client.timeout_s",
    "HOTSPAN_SIGNALS": "hotspan.signal.post_save.receivers",
    "HOTSPAN_REQUESTS": "hotspan.django.view",
    "HOTSPAN_MIDDLEWARE": "hotspan.middleware.books.middleware.SlowMiddleware.self_ms",
    "HOTSPAN_CACHE": "hotspan.cache.misses",
    "HOTSPAN_TEMPLATES": "hotspan.template.renders",
    "HOTSPAN_DATABASE": "hotspan.db.param_hash",
    "HOTSPAN_PARAM_HASHES": "hotspan.db.param_hashes",
    "HOTSPAN_ORM": "hotspan.orm.model",
    "HOTSPAN_TRANSACTIONS": "hotspan.tx.outcome",
    "HOTSPAN_ENTRIES": "hotspan.entry.span_id",
    "HOTSPAN_USERS": "user.hash",
}
# What needs another family to be seen: counters need an entry; users and middleware, a response.
NEEDS = {
    "HOTSPAN_ENTRIES": {"HOTSPAN_SIGNALS", "HOTSPAN_CACHE", "HOTSPAN_TEMPLATES"},
    "HOTSPAN_DATABASE": {"HOTSPAN_PARAM_HASHES", "HOTSPAN_ORM"},
    "HOTSPAN_REQUESTS": {"HOTSPAN_MIDDLEWARE", "HOTSPAN_USERS"},
}


@pytest.mark.slow
@pytest.mark.parametrize("switch", FAMILIES)
def test_switches(switch, bookshop, sink):
    """Each family is off by one switch, and the others are not."""
    _, url = bookshop.gunicorn("--workers", "1", env=ENV | {switch: "false"})
    httpx.get(f"{url}/pages/everything/", trust_env=False, timeout=30).raise_for_status()
    sink.wait_for("GET pages/everything/")
    names = {name for span in sink.spans() for name in attributes(span)}

    gone = {family for family, name in FAMILIES.items() if name not in names}
    assert gone == {switch} | NEEDS.get(switch, set())


@pytest.mark.slow
def test_url_values_can_be_asked_for(bookshop, sink):
    """URLs are sent whole to who asks for it."""
    _, url = bookshop.gunicorn("--workers", "1", env=ENV | {"HOTSPAN_URL_VALUES": "true"})
    httpx.get(f"{url}/pages/everything/", trust_env=False, timeout=30).raise_for_status()
    sink.wait_for("GET pages/everything/")
    (urls,) = {
        attributes(span)["url.full"]
        for span in sink.spans("POST")
        if "?" in attributes(span)["url.full"]
    }

    assert urls.endswith("?token=SECRET123")
