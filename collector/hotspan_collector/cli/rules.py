"""`hotspan rules`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer
from rich.padding import Padding
from rich.text import Text

from hotspan_collector.api.rule_models import (
    Rule,
    RuleRun,
    Rules,
    RuleScope,
    RuleSetting,
)
from hotspan_collector.cli.client import ApiKey, ApiUrl, Exit, Format, open_api
from hotspan_collector.cli.rule_trial import try_rule
from hotspan_collector.cli.terminal import count_text, duration_text, open_console, printable

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = ["rules"]

rules = typer.Typer(name="rules", no_args_is_help=True, help="What the collector looks for.")

Output = Annotated[
    Format, typer.Option("--format", help="What to print; JSON is the API's answer.")
]
RuleId = Annotated[str, typer.Argument(help="See hotspan rules list.", metavar="RULE")]
_STYLES = {"ok": "green", "failing": "bold red", "not_run": "dim", "disabled": "dim"}


@rules.callback()
def _root() -> None:
    # Without it a single subcommand would be the command itself.
    pass


@rules.command("list")
def list_rules(
    *,
    output: Output = Format.TABLE,
    api_url: ApiUrl = "http://127.0.0.1:4319",
    api_key: ApiKey = "",
) -> None:
    """List the rules: how each did when it last ran, and its settings.

    Settings are changed in the collector's settings file, under [rules.NAME], or with rules set.

    Examples:
      hotspan rules list

      hotspan rules list --format json | jq '.rules[] | select(.state == "failing")'

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
    for problem in found.problems:
        console.print(Text(printable(problem), style="bold red"))
    if found.canary is not None and found.canary.error:
        console.print(
            Text(f"The canary was not found: {printable(found.canary.error)}", style="bold red")
        )
    elif found.canary is not None:
        console.print(Text("The canary is found: rules find what they must.", style="green"))


rules.command("test")(try_rule)


@rules.command("show")
def show(
    rule_id: RuleId,
    *,
    output: Output = Format.TABLE,
    api_url: ApiUrl = "http://127.0.0.1:4319",
    api_key: ApiKey = "",
) -> None:
    """Show one rule: what it finds and why, its values in force and where others are.

    Where several hold, the most specific does: a fingerprint before a queue, a route or task, a
    service and its environment, web, task or command. Of equals, what was set with rules set wins
    over the settings file.

    Exit codes: 0 answered, 1 there is no such rule, 2 wrong option, 3 API not reachable.

    """
    with open_api(api_url, api_key) as api:
        path = f"/rules/{quote(rule_id, safe='')}"
        if output is Format.JSON:
            typer.echo(api.get(path))
            return
        found = api.read(Rule, path)
    console = open_console()
    console.print(_block(found))
    console.print(Text(found.why))


@rules.command("set")
def set_values(  # noqa: PLR0913 (options)
    rule_id: RuleId,
    values: Annotated[list[str], typer.Argument(help="NAME=VALUE, of its settings.")],
    *,
    kind: Annotated[str, typer.Option(help="Only for web, task or command.")] = "",
    environment: Annotated[str, typer.Option(help="Only in this environment.")] = "",
    service: Annotated[str, typer.Option(help="Only for this service.")] = "",
    entry: Annotated[
        str, typer.Option(help="Only for this route, task or command; * stands for anything.")
    ] = "",
    queue: Annotated[str, typer.Option(help="Only for tasks of this queue.")] = "",
    fingerprint: Annotated[str, typer.Option(help="Only for this violation.")] = "",
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    by: Annotated[str, typer.Option(help="Who says so.")] = "",
    api_url: ApiUrl = "http://127.0.0.1:4319",
    api_key: ApiKey = "",
) -> None:
    """Set values of a rule, everywhere or somewhere. They win over the settings file's.

    Examples:
      hotspan rules set n_plus_one min_count=20 --service legacy-shop --reason "until it is gone"

      hotspan rules set query_budget task_budget=200 --entry 'shop.tasks.nightly_*'

    Exit codes: 0 set, 1 there is no such rule, 2 a value cannot be used, 3 API not reachable.

    """
    body: dict[str, object] = {
        "values": dict(_value(each) for each in values),
        "kind": kind,
        "environment": environment,
        "service": service,
        "entry": entry,
        "queue": queue,
        "fingerprint": fingerprint,
        "reason": reason,
        "by": by,
    }
    with open_api(api_url, api_key) as api:
        answer = api.post(f"/rules/{quote(rule_id, safe='')}/overrides", body)
    scope = RuleScope.model_validate_json(answer, extra="ignore")
    typer.echo(f"Set as {scope.id}; take it back with: hotspan rules unset {rule_id} {scope.id}")


@rules.command("unset")
def unset_values(
    rule_id: RuleId,
    override_id: Annotated[str, typer.Argument(help="See hotspan rules show.", metavar="ID")],
    *,
    api_url: ApiUrl = "http://127.0.0.1:4319",
    api_key: ApiKey = "",
) -> None:
    """Take back what was set with rules set.

    Exit codes: 0 done, 1 there is no such override, 2 wrong option, 3 API not reachable.

    """
    with open_api(api_url, api_key) as api:
        api.delete(f"/rules/{quote(rule_id, safe='')}/overrides/{quote(override_id, safe='')}")
    typer.echo(f"Taken back: {override_id}.")


def _value(text: str) -> tuple[str, JsonValue]:
    name, sign, value = text.partition("=")
    if not name or not sign:
        typer.echo(f"hotspan: {text!r}: expected NAME=VALUE, such as min_count=20.", err=True)
        raise typer.Exit(Exit.USAGE)
    try:
        parsed: JsonValue = json.loads(value)
    except ValueError:
        return name, value
    return name, parsed


def _block(rule: Rule) -> Padding:
    text = Text.assemble((rule.id, "bold"), "  ", (rule.title, "dim"), "  ")
    text.append(rule.state.replace("_", " "), style=_STYLES[rule.state])
    text.append(f"\n  {rule.finds}")
    if rule.origin:
        text.append(f"\n  {printable(rule.origin)}", style="dim")
    if rule.last_run is not None:
        text.append("\n  ").append_text(_run(rule.last_run))
    for setting in rule.settings:
        text.append("\n  ").append_text(_setting(setting))
    for scope in rule.scopes:
        text.append("\n  ").append_text(_scope(scope))
    return Padding(text, (0, 0, 1, 0), expand=False)


def _run(run: RuleRun) -> Text:
    text = Text(
        f"last run {run.at:%Y-%m-%d %H:%M:%S} over {count_text(run.entries, 'entry', 'entries')} "
        f"in {duration_text(run.duration_ms)}",
        style="dim",
    )
    if run.failures:
        text.append(f", failed {count_text(run.failures, 'time')}", style="red")
    if run.error:
        text.append(f": {printable(run.error)}", style="red")
    return text


def _scope(scope: RuleScope) -> Text:
    conditions = {
        "kind": scope.kind,
        "environment": scope.environment,
        "service": scope.service,
        "entry": scope.entry,
        "queue": scope.queue,
        "fingerprint": scope.fingerprint,
    }
    where = ", ".join(f"{name} {value}" for name, value in conditions.items() if value)
    values = ", ".join(f"{name} = {value}" for name, value in scope.values.items())
    whose = f" by {scope.by}" if scope.by else ""
    origin = f"set as {scope.id}{whose}" if scope.id else "settings file"
    why = f": {scope.reason}" if scope.reason else ""
    return Text.assemble(
        (printable(values), "cyan"),
        f" for {printable(where) or 'everything'} ",
        (printable(f"({origin}{why})"), "dim"),
    )


def _setting(setting: RuleSetting) -> Text:
    changed = "" if setting.value == setting.default else f" (default {setting.default})"
    return Text.assemble(
        (setting.name, "cyan"),
        f" = {setting.value}{changed} ",
        (f"{setting.unit}. {setting.reason}", "dim"),
    )
