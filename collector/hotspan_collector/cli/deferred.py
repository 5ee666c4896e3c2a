"""Commands whose modules are loaded when they are run, and not to list them."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Deferred", "DeferringGroup"]


class Deferred(TyperCommand):
    """A command that is a function, or a `typer.Typer`, of its own name in a module."""

    def __init__(self, name: str, *, module: str, help: str, missing: str) -> None:  # noqa: A002 (Typer's name)
        """Prepare; nothing is loaded.

        Args:
            name: of the command, and of what is in the module.
            module: where it is.
            help: for the list of commands: the first line of its own.
            missing: what to do when the module, or what it needs, is not installed.

        """
        self._module = module
        self._missing = missing
        is_there = find_spec(module.partition(".")[0]) is not None
        super().__init__(name=name, help=help if is_there else f"Not available here. {missing}")

    def load(self) -> Any:  # noqa: ANN401 (Typer's own base of commands is not public)
        """Return the command itself.

        Raises:
            typer.Exit: it is not installed; what to do has been said.

        """
        try:
            found = getattr(importlib.import_module(self._module), str(self.name))
        except ModuleNotFoundError as error:
            reason = f"hotspan {self.name}: {error.name} is not installed. {self._missing}"
            typer.echo(reason, err=True)
            raise typer.Exit(1) from None
        if isinstance(found, typer.Typer):
            return _verbatim(typer.main.get_group(found))
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(self.name)(found)
        return _verbatim(typer.main.get_command(alone))

    def make_context(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401 (handed on)
        """Parse arguments as the command itself does: it is what runs then."""
        return self.load().make_context(*args, **extra)


class DeferringGroup(TyperGroup):
    """A group with commands that are deferred."""

    deferred: Sequence[Deferred] = ()

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 (Typer's)
        super().__init__(**attributes)
        for command in self.deferred:
            self.add_command(command)


def _verbatim(command: Any) -> Any:  # noqa: ANN401 (as above)
    """Have help shown as it is written: to rich, `[rules.NAME]` is a style."""
    for described in (command, *command.params):
        if getattr(described, "help", None):
            described.help = escape(described.help)
    for each in getattr(command, "commands", {}).values():
        _verbatim(each)
    return command
