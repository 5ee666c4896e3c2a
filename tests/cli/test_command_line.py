"""`hotspan` itself: it lists its commands without loading them."""

import json
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from hotspan_collector.cli.app import COMMANDS, app
from hotspan_collector.cli.deferred import Deferred, DeferringGroup

HEAVY = {"chdb", "clickhouse_connect", "grpc", "httpx", "pydantic", "starlette", "streamlit"}
_LISTED = """
import json, sys
from hotspan_collector.cli.app import app
app(["--help"], standalone_mode=False)
print(json.dumps(sorted(sys.modules)))
"""


def test_listing_commands_loads_none_of_them():
    """Neither the engine, nor servers, nor clients."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", _LISTED], check=True, capture_output=True, text=True
    )
    *shown, modules = ran.stdout.splitlines()

    assert HEAVY & set(json.loads(modules)) == set()
    assert any("violations" in line for line in shown)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_commands_are_listed_with_the_first_line_of_their_own_help(command: Deferred):
    own = command.load().help

    assert command.help == own.splitlines()[0]


class _Incomplete(DeferringGroup):
    deferred = (Deferred("gone", module="json.gone", help="Is not there.", missing="Install it."),)


def test_a_command_that_is_not_installed_says_how_to_get_it():
    incomplete = typer.Typer(cls=_Incomplete)
    incomplete.callback()(lambda: None)

    ran = CliRunner().invoke(incomplete, ["gone"])

    assert (ran.exit_code, ran.output) == (
        1,
        "hotspan gone: json.gone is not installed. Install it.\n",
    )


def test_a_command_that_cannot_be_there_is_listed_as_such():
    elsewhere = Deferred("gone", module="nowhere.gone", help="Is not there.", missing="Make it.")

    assert elsewhere.help == "Not available here. Make it."


@pytest.mark.parametrize(
    ("arguments", "text"),
    [(["rules", "list"], "[rules.NAME]"), (["check"], "for [rules.…]"), (["violations"], "[ID]")],
)
def test_help_shows_brackets_as_they_are_written(arguments: list[str], text: str):
    """They are tables of a settings file, no markup of the terminal's."""
    ran = CliRunner().invoke(app, [*arguments, "--help"], env={"COLUMNS": "200"})

    assert ran.exit_code == 0
    assert text in ran.output


def test_the_version_is_that_of_the_package():
    ran = CliRunner().invoke(app, ["--version"])

    assert (ran.exit_code, ran.output.count(".")) == (0, 2)
