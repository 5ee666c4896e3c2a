"""What the URLs of calls to one endpoint have in common."""

import pytest

from hotspan_instrumentation.url_template import url_template


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.example.com/v2/orders/4711/lines", "/v2/orders/{id}/lines"),
        ("https://api.example.com/rates/USD?on=2026-01-01", "/rates/{id}"),
        ("http://h/users/ada@example.com/", "/users/{id}/"),
        ("http://h/f/9f1c2d3e-0000-4000-8000-0123456789ab", "/f/{id}"),
        ("http://h/t/" + "x" * 30, "/t/{id}"),
        ("http://h/caf%C3%A9", "/{id}"),
        ("http://h", "/"),
        ("http://h/health", "/health"),
        ("/relative/7", "/relative/{id}"),
        ("", "/"),
    ],
)
def test_what_varies_is_an_id(url, expected):
    """Numbers, ids, addresses, codes and long parts differ from call to call; versions do not."""
    assert url_template(url) == expected


def test_a_url_that_cannot_be_read():
    """The call goes on, and nothing is recorded: the processor has a guard."""
    with pytest.raises(ValueError, match="Invalid IPv6"):
        url_template("http://[::1/orders")
