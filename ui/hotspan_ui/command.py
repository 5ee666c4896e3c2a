"""`hotspan ui`: checks what would go wrong, then becomes the Streamlit server."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from hotspan_ui.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOLDER = Path(__file__).parent
_LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


class CannotStartError(Exception):
    """The UI cannot start; the message says what to do."""


def ui(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", min=1, max=65535)] = None,
    api_url: Annotated[str | None, typer.Option(help="Where the collector's API is.")] = None,
) -> None:
    """Serve the web UI."""
    try:
        chosen = _settings(host=host, port=port, api_url=api_url)
        check(chosen)
    except CannotStartError as error:
        typer.echo(f"hotspan ui: {error}", err=True)
        raise typer.Exit(2) from error
    shown = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
    typer.echo(f"hotspan UI on http://{shown}:{chosen.port} (API: {chosen.api_url})")
    sys.stdout.flush()
    # Becoming the server, not starting it: signals reach it, and nothing is left to wait for.
    os.execve(sys.executable, command_line(chosen), environment(chosen))  # noqa: S606  no shell


def _settings(*, host: str | None, port: int | None, api_url: str | None) -> Settings:
    given = {"host": host, "port": port, "api_url": api_url}
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]  # checked by pydantic
    except ValidationError as error:
        problems = [f"{_variable(str(each['loc'][0]))}: {each['msg']}" for each in error.errors()]
        raise CannotStartError("; ".join(problems)) from error


def _variable(name: str) -> str:
    if name in {"api_url", "api_key"}:
        return f"HOTSPAN_{name.upper()}"
    return name if name.startswith("HOTSPAN_") else f"HOTSPAN_UI_{name.upper()}"


def check(chosen: Settings) -> None:
    """Raise CannotStartError where the server would be open to others, or could not listen."""
    if not is_loopback(chosen.host) and not chosen.secret_password:
        raise CannotStartError(
            f"{chosen.host} can be reached from other machines, and traces show what your users "
            "do. Set HOTSPAN_UI_PASSWORD, or listen on 127.0.0.1 and put a proxy with a login "
            "in front."
        )
    family = socket.AF_INET6 if ":" in chosen.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((chosen.host, chosen.port))
        except OSError as error:
            raise CannotStartError(
                f"cannot listen on {chosen.host}:{chosen.port}: {error.strerror}. "
                f"End what listens there, or choose another: hotspan ui --port {chosen.port + 1}"
            ) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def command_line(chosen: Settings) -> list[str]:
    """Return the arguments of the server; flags win over any configuration file around."""
    flags = {
        "server.address": chosen.host,
        "server.port": str(chosen.port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "server.runOnSave": "false",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": "false",
        "theme.base": str(_FOLDER / "theme.toml"),
        "logger.level": "warning",
        "logger.hideWelcomeMessage": "true",
    }
    options = [f"--{name}={value}" for name, value in flags.items()]
    if is_loopback(chosen.host):  # no page of another site reaches it through a name of its own
        options += [f"--server.allowedHosts={name}" for name in _LOCAL_NAMES]
    script = str(_FOLDER / "server.py")
    return [sys.executable, "-m", "hotspan_ui", "run", script, *options]


def environment(chosen: Settings) -> Mapping[str, str]:
    """Return the process's environment, with what the command line said."""
    return {**os.environ, "HOTSPAN_API_URL": chosen.api_url}
