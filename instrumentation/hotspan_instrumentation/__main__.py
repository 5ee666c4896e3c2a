"""`python -m hotspan_instrumentation doctor`."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence

from hotspan_instrumentation.doctor import Report, examine


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report; return 0 when spans arrive, and 1 when something is to be done."""
    parser = argparse.ArgumentParser(prog="python -m hotspan_instrumentation")
    commands = parser.add_subparsers(dest="command", required=True)
    doctor = commands.add_parser(
        "doctor", help="say what is instrumented, and whether spans arrive"
    )
    doctor.add_argument("--format", choices=["table", "json"], default="table")
    options = parser.parse_args(arguments)
    report = examine()
    text = _as_json(report) if options.format == "json" else "\n".join(_as_table(report))
    sys.stdout.write(f"{text}\n")
    return 0 if report.ok else 1


def _as_json(report: Report) -> str:
    return json.dumps({"ok": report.ok, **dataclasses.asdict(report)}, indent=2)


def _as_table(report: Report) -> Iterator[str]:
    for check in report.checks:
        yield f"{'ok  ' if check.ok else 'FAIL'}  {check.name:<14}{check.detail}"
    yield ""
    width = max((len(library.name) for library in report.libraries), default=0) + 2
    for library in report.libraries:
        yield f"{library.state:<14}{library.name:<{width}}{library.reason}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
