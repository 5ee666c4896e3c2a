"""Outgoing calls: one server makes them all, the tests look at what it sent."""

import httpx
import pytest

from support.otlp_sink import OtlpSink
from support.smtp_sink import SmtpSink
from support.span_attributes import attributes, starting_with

PAGES = ("patient", "impatient", "asynchronous", "in_transaction", "in_signal")
ERROR = 2


@pytest.fixture(scope="module")
def carrier():
    """The other side of the calls."""
    with OtlpSink() as carrier:
        yield carrier


@pytest.fixture(scope="module")
def postman():
    """What letters are sent to."""
    with SmtpSink() as postman:
        yield postman


@pytest.fixture(scope="module")
def get(shared_bookshop, shared_sink, carrier, postman):
    """Ask for a page and return its calls, in order, and its own span."""
    shared_bookshop.env |= {
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "BOOKSHOP_CARRIER_URL": carrier.url,
        "BOOKSHOP_SMTP_PORT": str(postman.port),
    }
    _, url = shared_bookshop.gunicorn()

    def get(page: str, query: str = ""):
        shared_sink.requests.clear()
        httpx.get(f"{url}/calls/{page}/{query}", trust_env=False, timeout=30)
        (entry,) = shared_sink.wait_for(f"GET calls/{page}/")
        trace = [span for span in shared_sink.spans() if span.trace_id == entry.trace_id]
        calls = [span for span in trace if span.kind == span.SPAN_KIND_CLIENT]
        outside = [span for span in calls if "db.system.name" not in attributes(span)]
        return sorted(outside, key=lambda span: span.start_time_unix_nano), entry

    return get


def _timeouts(calls):
    return [attributes(span).get("hotspan.client.timeout_s") for span in calls]


def test_calls_without_timeout(get):
    """A call without a timeout says so, by whichever client it is made."""
    calls, _ = get("patient")

    assert _timeouts(calls) == [-1.0] * 4


def test_templates_of_urls(get):
    """A call by HTTP says which endpoint it went to, by whichever client it is made."""
    calls, _ = get("asynchronous")

    assert [attributes(span)["url.template"] for span in calls] == ["/parcels"]


def test_configured_timeouts(get):
    """A call says how long it would wait for an answer, wherever that was configured."""
    calls, _ = get("impatient")

    assert _timeouts(calls) == [5.0, 5.0, 5.0, 5.0, -1.0, 7.0, 4.0]


def test_asynchronous_calls(get):
    """The same holds for calls of an event loop."""
    calls, _ = get("asynchronous")

    assert _timeouts(calls) == [6.0]


def test_calls_by_aiohttp(get, shared_sink):
    """aiohttp's calls have the timeout of the session or of the request, and no secrets."""
    shared_sink.requests.clear()
    calls, _ = get("by_aiohttp")
    exported = b"".join(request.SerializeToString() for request in shared_sink.requests)

    assert _timeouts(calls) == [300.0, -1.0, -1.0, 6.0, 8.0, 8.0]
    assert {attributes(span)["code.function.name"] for span in calls} == {"books.calls.by_aiohttp"}
    assert b"SECRET123" not in exported
    assert b"hunter2" not in exported


def test_calls_by_botocore(get, shared_sink):
    """A call of botocore is one span, with what was configured of the HTTP below it."""
    shared_sink.requests.clear()
    (call,), _ = get("by_botocore")
    exported = b"".join(request.SerializeToString() for request in shared_sink.requests)

    assert call.name == "DynamoDB.GetItem"
    assert starting_with(call, "hotspan.client.") == {
        "hotspan.client.timeout_s": 3.0,
        "hotspan.client.in_signal": False,
        "hotspan.client.in_transaction": False,
    }
    assert attributes(call)["code.function.name"] == "books.calls.by_botocore"
    assert b"SECRET123" not in exported
    assert b"hunter2" not in exported


def test_retries(get, carrier):
    """A call that was tried again below the caller's line says how often."""
    carrier.status = 503
    calls, _ = get("retried")
    carrier.status = 200

    assert [attributes(span)["hotspan.client.retry"] for span in calls] == [2]


@pytest.mark.parametrize(
    ("page", "in_transaction", "in_signal"),
    [("patient", False, False), ("in_transaction", True, False), ("in_signal", False, True)],
)
def test_where_calls_are_made(get, shared_sink, page, in_transaction, in_signal):
    """A call says whether it is made in a transaction, and whether in a signal's receiver."""
    shared_sink.requests.clear()
    calls, _ = get(page)

    for span in calls:
        found = starting_with(span, "hotspan.client.in_")

        assert found == {
            "hotspan.client.in_transaction": in_transaction,
            "hotspan.client.in_signal": in_signal,
        }


def test_queries_are_no_calls(get, shared_sink):
    """What concerns calls to other services is not said of statements."""
    get("in_signal")
    (insert,) = shared_sink.spans("INSERT")

    assert starting_with(insert, "hotspan.client.") == {}


def test_calls_are_counted(get):
    """The request has the number of its calls by HTTP, and their time."""
    calls, entry = get("impatient")
    told = attributes(entry)

    assert told["hotspan.http.calls"] == len(calls) == 7
    assert told["hotspan.http.time_ms"] == pytest.approx(
        sum(span.end_time_unix_nano - span.start_time_unix_nano for span in calls) / 1e6
    )


def test_slow_receivers(get, shared_sink):
    """The request says which signal took its time, and whose receivers."""
    shared_sink.requests.clear()
    _, entry = get("in_signal")
    found = starting_with(entry, "hotspan.signal.")

    assert found.pop("hotspan.signal.post_save.time_ms") >= 50
    assert found == {
        "hotspan.signal.post_save.receivers": ["books.calls.notify"],
        "hotspan.signal.post_save.calls": 1,
    }


def test_no_secrets(get, shared_sink):
    """Nothing that is exported has credentials or values of queries; names of values stay."""
    calls, entry = get("secrets", "?password=SECRET123&sort=title")
    exported = b"".join(request.SerializeToString() for request in shared_sink.requests)

    assert len(calls) == 6
    assert attributes(entry)["url.query"] == "password=REDACTED&sort=REDACTED"
    assert b"token=REDACTED&page=REDACTED" in exported
    assert b"SECRET123" not in exported
    assert b"hunter2" not in exported
    assert b"Max retries exceeded with url: /parcels?token=REDACTED" in exported


def test_letters(get, postman):
    """Sending mail is a call, with its server and timeout, and without its recipients."""
    calls, _ = get("letter")

    assert [span.name for span in calls] == ["SMTP connect", "SMTP sendmail"]
    for span in calls:
        assert starting_with(span, "server.", "network.", "hotspan.client.timeout_s") == {
            "network.protocol.name": "smtp",
            "server.address": "127.0.0.1",
            "server.port": postman.port,
            "hotspan.client.timeout_s": -1.0,
        }


def test_letters_that_are_refused(get, postman, shared_sink):
    """The error of a letter is its type: its text would name who the letter is for."""
    shared_sink.requests.clear()
    postman.refuses = True
    calls, _ = get("letter")
    exported = b"".join(request.SerializeToString() for request in shared_sink.requests)

    assert calls[-1].status.code == ERROR
    assert attributes(calls[-1])["error.type"] == "smtplib.SMTPRecipientsRefused"
    assert b"jane.doe" not in exported
