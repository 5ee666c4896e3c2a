"""The password in front of the UI, through the running server."""

import httpx
import pytest

from hotspan_ui.gate import PasswordGate
from ui import sample_api, ui_process

PASSWORD = "a long enough password"
WEBSOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


@pytest.fixture(scope="module")
def guarded():
    with (
        sample_api.serve() as api,
        ui_process.running(api.url, HOTSPAN_UI_PASSWORD=PASSWORD) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=30) as client,
    ):
        yield client


@pytest.fixture(autouse=True)
def _signed_out(guarded):
    guarded.cookies.clear()


def sign_in(client, *, password=PASSWORD, target="/traces?service=shop"):
    return client.post("/login", data={"password": password, "next": target})


@pytest.mark.parametrize(
    "path", ["/", "/violation?id=v1:a", "/static/any.js", "/_stcore/host-config"]
)
def test_nothing_without_the_password(guarded, path):
    """Whatever is asked for, the answer is the form."""
    answer = guarded.get(path)

    assert answer.status_code == 401
    assert 'type="password"' in answer.text


def test_no_session_without_the_password(guarded):
    """The connection that carries the pages is refused."""
    assert guarded.get("/_stcore/stream", headers=WEBSOCKET).status_code == 403


def test_health_needs_none(guarded):
    """Health checks ask without a password."""
    assert guarded.get("/_stcore/health").status_code == 200


def test_signing_in(guarded):
    """The password opens the page that was asked for, and everything after it."""
    answer = sign_in(guarded)

    assert (answer.status_code, answer.headers["location"]) == (303, "/traces?service=shop")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert guarded.get("/").status_code == 200


@pytest.mark.parametrize("password", ["", "a long enough passwor", PASSWORD + " ", "ä"])
def test_wrong_password(guarded, password):
    """Any other password is refused, and the form keeps where it was going."""
    answer = sign_in(guarded, password=password)

    assert answer.status_code == 401
    assert "That is not the password." in answer.text
    assert "/traces?service=shop" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "/a\r\nSet-Cookie: b"]
)
def test_never_sends_elsewhere(guarded, target):
    """After signing in, nobody is sent to another site."""
    assert sign_in(guarded, target=target).headers["location"] == "/"


@pytest.mark.parametrize("cookie", ["", "9999999999.", "9999999999.00", "1.2.3", "ä.ö", ".", "=;="])
def test_forged_cookie(guarded, cookie):
    """A cookie that this server did not sign opens nothing."""
    header = f"hotspan_ui={cookie}".encode()

    assert guarded.get("/", headers={"Cookie": header}).status_code == 401


def test_expired_cookie(guarded):
    """A cookie that was signed, and is too old, opens nothing."""
    gate = PasswordGate(None, password=PASSWORD, session_hours=1)
    expired = f"1000000000.{gate._sign('1000000000')}"

    assert guarded.get("/", headers={"Cookie": f"hotspan_ui={expired}"}).status_code == 401


def test_cookie_of_another_password(guarded):
    """A new password ends the sessions of the old one."""
    gate = PasswordGate(None, password="the old one", session_hours=1)
    old = f"9999999999.{gate._sign('9999999999')}"

    assert guarded.get("/", headers={"Cookie": f"hotspan_ui={old}"}).status_code == 401


def test_huge_form(guarded):
    """A form of any size is not read to its end."""
    assert guarded.post("/login", content=b"password=" + b"x" * 10_000).status_code == 413


def test_target_is_escaped(guarded):
    """What stands in the URL reaches the form as text."""
    answer = guarded.get('/?a="><script>alert(1)</script>')

    assert "<script>" not in answer.text
