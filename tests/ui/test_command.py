"""`hotspan ui`: what it checks before it starts, and how it ends."""

import re
import signal
import socket
from pathlib import Path

import httpx
import pytest

from hotspan_ui import command
from hotspan_ui.settings import Settings
from support.processes import free_port
from ui import ui_process


def refused(*arguments: str, **environment: str) -> str:
    process = ui_process.start(*arguments, **environment)
    printed, _ = process.communicate(timeout=ui_process.START_S)

    assert process.returncode == 2
    return printed


def test_port_taken():
    """A port that is taken is told, with the command that avoids it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        printed = refused("--port", str(port))

    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in printed
    assert f"hotspan ui --port {port + 1}" in printed


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.com"])
def test_open_host_needs_a_password(host):
    """Listening where others reach it is refused until a password is set."""
    with pytest.raises(command.CannotStartError, match="HOTSPAN_UI_PASSWORD"):
        command.check(Settings(host=host))


def test_open_host_is_refused_by_the_command():
    """The command ends with that advice, and an empty password is none."""
    printed = refused("--host", "0.0.0.0", HOTSPAN_UI_PASSWORD="")

    assert "Set HOTSPAN_UI_PASSWORD" in printed


def test_open_host_with_password():
    """With a password, any address will do."""
    command.check(Settings(host="0.0.0.0", port=0, password="x"))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.3.2.1", "::1"])
def test_loopback(host):
    """Loopback has more than one name."""
    assert command.is_loopback(host)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_cleanly(api, number):
    """The server ends by SIGTERM and by Ctrl-C, without a traceback, and says where it was."""
    port = free_port()
    process = ui_process.start("--port", str(port), "--api-url", api.url)
    ui_process.wait_until_ready(process, f"http://127.0.0.1:{port}")
    printed = ui_process.end(process, number)

    assert f"hotspan UI on http://127.0.0.1:{port} (API: {api.url})" in printed
    assert len(printed.strip().splitlines()) == 1
    assert process.returncode in {0, -number}


def test_other_names_are_kept_out(api):
    """A page of another site that gave this machine a name of its own gets no session."""
    with ui_process.running(api.url) as url:
        headers = {
            "Host": "rebound.example",
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }
        answer = httpx.get(f"{url}/_stcore/stream", headers=headers, trust_env=False, timeout=30)

    assert answer.status_code == 403


def test_settings_are_documented():
    """Every setting stands in docs/ui.md, with its default."""
    documented = (Path(__file__).parents[2] / "docs" / "ui.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(HOTSPAN_\w+)` ", documented, flags=re.MULTILINE))
    shared = {"API_URL", "API_KEY"}
    names = {name.upper() for name in Settings.model_fields}

    assert {f"HOTSPAN_{'' if name in shared else 'UI_'}{name}" for name in names} == named
