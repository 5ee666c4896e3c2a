"""Management commands are entries, like requests and tasks."""

from pathlib import Path

import pytest

from support.processes import free_port
from support.span_attributes import attributes, exceptions
from support.span_tree import span_tree

PROJECT = Path(__file__).parent / "project"
ON = {"HOTSPAN_COMMANDS": "true"}
SITE = "books/management/commands/close.py"
FUNCTION = "books.management.commands.close.Command.handle"


@pytest.fixture
def close(bookshop, sink):
    """Run the command to its end; return its exit status and its span."""

    def close(way: str):
        process = bookshop.process("python", "manage.py", "close", way, env=ON)
        process.start()
        status = process.wait()
        (command,) = sink.spans("command close")
        return status, command

    return close


def test_command(close, sink):
    """All that a command does is below its span, with what another command does for it."""
    status, command = close("well")

    assert status == 0
    assert span_tree(sink.spans(), root=PROJECT) == (
        "internal command close\n"
        f"  client connect @ {SITE}:16 {FUNCTION}\n"
        f"  client SELECT @ {SITE}:16 {FUNCTION}\n"
        f"  client SELECT @ {SITE}:17 {FUNCTION}\n"
        f"  client SELECT @ {SITE}:17 {FUNCTION}"
    )
    told = attributes(command)
    assert told["hotspan.django.command"] == "close"
    assert told["hotspan.db.queries"] == 3
    assert told["hotspan.entry.span_id"] == command.span_id.hex()
    assert command.status.code == 0


@pytest.mark.parametrize(
    ("way", "status", "text", "errors"),
    [
        (
            "error",
            1,
            "CommandError: the till is not closed",
            [("django.core.management.base.CommandError", "the till is not closed")],
        ),
        ("status", 3, "exit status 3", []),
    ],
)
def test_failures(close, way, status, text, errors):
    """A command that fails ends as it does without us, and its span says how."""
    found, command = close(way)

    assert found == status
    assert command.status.message == text
    assert exceptions(command) == errors


def test_servers_are_no_commands(bookshop, sink):
    """A server's requests are entries of their own, and the server is none."""
    port = free_port()
    server = bookshop.process(
        *("python", "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"), env=ON
    )
    server.start()
    server.wait_for_url(f"http://127.0.0.1:{port}/books/")
    sink.wait_for("GET books/")
    server.terminate()

    assert [span.name for span in sink.spans() if "command" in span.name] == []
