"""No secret leaves a process, by whichever library it was given away to."""

import httpx
import pytest

from support.otlp_sink import OtlpSink
from support.smtp_sink import SmtpSink

SECRET = b"SECRET123"

# How many spans each makes at least: a test of what is not there must see what is.
CASES = {
    "requests": 2,
    "httpx_sync": 2,
    "httpx_async": 2,
    "urllib3": 2,
    "urllib_request": 2,
    "by_aiohttp": 2,
    "by_botocore": 1,
    "smtp": 2,
    "database": 7,
    "redis": 6,
    "cache": 0,
    "celery": 1,
    "templates": 0,
}


@pytest.fixture(scope="module")
def sent(shared_bookshop, shared_sink, redis_server):
    """What arrives of each case: its spans."""
    with SmtpSink() as postman, OtlpSink() as carrier:
        shared_bookshop.env |= {
            "BOOKSHOP_CARRIER_URL": carrier.url,
            "BOOKSHOP_SMTP_PORT": str(postman.port),
            "BOOKSHOP_REDIS_URL": redis_server.url,
            "HOTSPAN_CACHE_SPAN_MIN_MS": "0",
            "HOTSPAN_TEMPLATE_SPAN_MIN_MS": "0",
        }
        shared_bookshop.run("python", "manage.py", "secrets")
    spans = shared_sink.spans()
    entries = {span.name: span for span in spans if span.name in CASES}
    return {
        name: [span for span in spans if span.trace_id == entry.trace_id]
        for name, entry in entries.items()
    }


@pytest.mark.parametrize("case", CASES)
def test_libraries(sent, case):
    """Parameters, URLs, headers, bodies and the texts of errors keep their secrets."""
    entry, *others = sorted(sent[case], key=lambda span: span.start_time_unix_nano)
    telling = [span for span in (entry, *others) if SECRET in span.SerializeToString()]

    assert telling == []
    assert len(others) >= CASES[case]


def test_requests(bookshop, sink):
    """What a request carries stays with it: its body, headers, cookies and values in its URL."""
    _, url = bookshop.gunicorn("--workers", "1", env={"OTEL_BSP_SCHEDULE_DELAY": "50"})
    secret = SECRET.decode()
    headers = {"Authorization": f"Bearer {secret}", "Referer": f"http://shop/?token={secret}"}
    with httpx.Client(trust_env=False, cookies={"session": secret}) as client:
        client.post(f"{url}/process/?token={secret}", data={"card": secret}, headers=headers)
    (entry,) = sink.wait_for("POST process/")

    assert SECRET not in entry.SerializeToString()
