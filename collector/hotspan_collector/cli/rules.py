"""`hotspan rules`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.padding import Padding
from rich.text import Text

from hotspan_collector.api.models import Rule, Rules, RuleSetting
from hotspan_collector.cli.client import ApiKey, ApiUrl, Format, open_api
from hotspan_collector.cli.terminal import open_console

__all__ = ["rules"]

rules = typer.Typer(name="rules", no_args_is_help=True, help="What the collector looks for.")


@rules.callback()
def _root() -> None:
    # Without it a single subcommand would be the command itself.
    pass


@rules.command("list")
def list_rules(
    *,
    output: Annotated[
        Format, typer.Option("--format", help="What to print; JSON is the API's answer.")
    ] = Format.TABLE,
    api_url: ApiUrl = "http://127.0.0.1:4319",
    api_key: ApiKey = "",
) -> None:
    """List the rules that run, and their settings.

    Settings are changed in the collector's settings file, under [rules.NAME].

    Examples:
      hotspan rules list

      hotspan rules list --format json | jq '.rules[].id'

    Exit codes: 0 answered, 2 wrong option, 3 API not reachable.

    """
    with open_api(api_url, api_key) as api:
        if output is Format.JSON:
            typer.echo(api.get("/rules"))
            return
        found = api.read(Rules, "/rules")
    console = open_console()
    for rule in found.rules:
        console.print(_block(rule))


def _block(rule: Rule) -> Padding:
    text = Text.assemble((rule.id, "bold"), "  ", (rule.title, "dim"), "\n  ", rule.finds)
    for setting in rule.settings:
        text.append("\n  ").append_text(_setting(setting))
    return Padding(text, (0, 0, 1, 0), expand=False)


def _setting(setting: RuleSetting) -> Text:
    changed = "" if setting.value == setting.default else f" (default {setting.default})"
    return Text.assemble(
        (setting.name, "cyan"),
        f" = {setting.value}{changed} ",
        (f"{setting.unit}. {setting.reason}", "dim"),
    )
