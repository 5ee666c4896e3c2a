"""What `opentelemetry-instrument` would do in this environment, and whether spans would arrive."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit, urlunsplit

from opentelemetry.instrumentation.dependencies import (
    DependencyConflict,
    get_dist_dependency_conflicts,
)
from opentelemetry.sdk._configuration import _get_exporter_names
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.util._importlib_metadata import EntryPoint, entry_points

from hotspan_instrumentation.defaults import apply_defaults

State = Literal["instrumented", "absent", "disabled", "unsupported", "failed"]

_TIMEOUT_S: Final = "3"  # for the one request that is sent
_TO_COLLECTOR: Final = "otlp"


@dataclass(frozen=True, slots=True)
class Library:
    """Whether a library is instrumented, and if not, why."""

    name: str
    state: State
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must hold for spans to arrive; `detail` says what to do if it does not."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """All that the doctor has found."""

    checks: tuple[Check, ...]
    libraries: tuple[Library, ...]

    @property
    def ok(self) -> bool:
        """Whether spans arrive, and no instrumentation is broken."""
        return all(check.ok for check in self.checks) and all(
            library.state != "failed" for library in self.libraries
        )


def examine() -> Report:
    """Look at this environment as `opentelemetry-instrument` would see it, and send a request."""
    service_name = _service_name()
    apply_defaults(os.environ)
    os.environ["OTEL_EXPORTER_OTLP_TIMEOUT"] = _TIMEOUT_S
    os.environ.pop("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", None)
    checks = (
        _chosen("distro", "OTEL_PYTHON_DISTRO"),
        _chosen("configurator", "OTEL_PYTHON_CONFIGURATOR"),
        _sdk(),
        service_name,
        *_export_checks(),
    )
    return Report(checks, tuple(_libraries()))


def _service_name() -> Check:
    named = bool(os.environ.get("OTEL_SERVICE_NAME")) or (
        "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    )
    # Spans arrive without one too, all services as one.
    advice = "set" if named else "not set: set OTEL_SERVICE_NAME, or all services look like one"
    return Check("service name", ok=True, detail=advice)


def _sdk() -> Check:
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    detail = "disabled: unset OTEL_SDK_DISABLED" if disabled else "enabled"
    return Check("sdk", ok=not disabled, detail=detail)


def _chosen(kind: str, variable: str) -> Check:
    """Whose entry point is used: the first one's, or the one's that the variable names."""
    names = [entry_point.name for entry_point in entry_points(group=f"opentelemetry_{kind}")]
    wanted = os.environ.get(variable)
    chosen = wanted or (names[0] if names else "none")
    if chosen == "hotspan":
        return Check(kind, ok=True, detail="hotspan")
    advice = f"set {variable}=hotspan"
    if chosen not in names:
        return Check(kind, ok=False, detail=f"{chosen} is not installed: install it, or {advice}")
    # Hotspan's additions are made all the same: see hotspan_instrumentation.installation.
    detail = f"{chosen}, with hotspan's additions; for hotspan's defaults, too, {advice}"
    return Check(kind, ok=True, detail=detail)


def _libraries() -> Iterator[Library]:
    disabled = {
        name.strip()
        for name in os.environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "").split(",")
    }
    found = sorted(entry_points(group="opentelemetry_instrumentor"), key=lambda each: each.name)
    for entry_point in found:
        if disabled & {entry_point.name, "*"}:
            variable = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
            yield Library(entry_point.name, "disabled", f"named in {variable}")
        else:
            yield _library(entry_point)


def _library(entry_point: EntryPoint) -> Library:
    conflict = get_dist_dependency_conflicts(entry_point.dist) if entry_point.dist else None
    if conflict is not None:
        return _in_conflict(entry_point, conflict)
    try:
        # Of a package with several instrumentors, one may lack its library.
        conflict = entry_point.load()()._check_dependency_conflicts()  # noqa: SLF001 - no public way
    except ModuleNotFoundError as error:
        return Library(entry_point.name, "absent", str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        return Library(entry_point.name, "failed", repr(error))
    if conflict is not None:
        return _in_conflict(entry_point, conflict)
    return Library(entry_point.name, "instrumented")


def _in_conflict(entry_point: EntryPoint, conflict: DependencyConflict) -> Library:
    if conflict.found or conflict.found_any:
        return Library(entry_point.name, "unsupported", str(conflict))
    return Library(entry_point.name, "absent", "not installed")


def _export_checks() -> Iterator[Check]:
    names = [name for name in _get_exporter_names("traces") if name.startswith(_TO_COLLECTOR)]
    if not names:
        value = os.environ.get("OTEL_TRACES_EXPORTER")
        detail = f"OTEL_TRACES_EXPORTER={value}: nothing is sent to a collector; unset it, or otlp"
        yield Check("export", ok=False, detail=detail)
    for name in names:
        yield _export(name)


def _export(name: str) -> Check:
    """Send a request without spans the way spans are sent: same address, headers, certificates."""
    endpoint = _endpoint()
    with _messages() as messages:
        try:
            exporter = _load_exporter(name)
            sent = exporter.export([]) is SpanExportResult.SUCCESS
            exporter.shutdown()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
            return Check("export", ok=False, detail=f"{name} to {endpoint}: {error!r}")
    if sent:
        return Check("export", ok=True, detail=f"{name} to {endpoint}: accepted")
    reason = messages[0] if messages else "not accepted"
    advice = "start the collector (hotspan serve), or set OTEL_EXPORTER_OTLP_ENDPOINT"
    return Check("export", ok=False, detail=f"{name} to {endpoint}: {reason}; {advice}")


def _load_exporter(name: str) -> SpanExporter:
    found = list(entry_points(group="opentelemetry_traces_exporter", name=name))
    if not found:
        package = f"opentelemetry-exporter-{name.replace('_', '-')}"
        raise LookupError(f"no such exporter is installed: pip install {package}")
    exporter: SpanExporter = found[0].load()()
    return exporter


def _endpoint() -> str:
    """Where spans go, without a password that the address may hold."""
    names = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    url = next((os.environ[name] for name in names if os.environ.get(name)), "the default address")
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))


@contextmanager
def _messages() -> Iterator[list[str]]:
    """Collect what the exporter logs, which is the only place where it says why it failed."""
    messages: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("opentelemetry")
    logger.addHandler(handler)
    propagate, logger.propagate = logger.propagate, False
    try:
        yield messages
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate
