"""The command line. Without the extra that a command needs, it says which one that is."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the `hotspan` command."""
    try:
        from hotspan_collector.cli.app import app  # noqa: PLC0415 (see the docstring)
    except ModuleNotFoundError as error:
        sys.exit(
            f"hotspan: {error.name} is not installed. The command line comes with the collector: "
            'pip install "hotspan[collector]" (or "hotspan[all]", which has the UI too).'
        )
    app()
