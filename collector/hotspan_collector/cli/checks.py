"""What `hotspan doctor` looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import httpx
from pydantic import ValidationError

from hotspan_collector.api.ingest_models import Ingest, QuarantineReport
from hotspan_collector.api.models import Problem, Status

__all__ = ["Addresses", "Check", "run_checks"]

_TIMEOUT_S = 10.0
_SLOW_EVALUATOR_S = 60.0

Result = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where things should be."""

    api_url: str
    api_key: str
    otlp_url: str
    ui_url: str


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was found, and what to do about it."""

    name: str
    result: Result
    found: str
    todo: str = ""


def run_checks(addresses: Addresses) -> list[Check]:
    """Look at everything; a check never fails for itself."""
    with httpx.Client(timeout=_TIMEOUT_S, trust_env=False) as http:
        return [
            _receiver(http, addresses.otlp_url),
            *_collector(http, addresses),
            _ui(http, addresses.ui_url),
        ]


def _receiver(http: httpx.Client, url: str) -> Check:
    name = "OTLP receiver"
    # An empty request is a valid one, with no spans.
    answer = _ask(
        http,
        "POST",
        f"{url.rstrip('/')}/v1/traces",
        content=b"",
        headers={"Content-Type": "application/x-protobuf"},
    )
    if isinstance(answer, str):
        return Check(
            name,
            "problem",
            f"{url} does not answer: {answer}",
            "Start the collector (hotspan serve), or say where it is: --otlp-url.",
        )
    if answer.is_success:
        return Check(name, "ok", f"{url} takes spans")
    if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return Check(name, "ok", f"{url} answers, and asks senders for a key")
    return Check(
        name,
        "problem",
        f"{url} answered {answer.status_code}",
        "Is that a collector's OTLP/HTTP address? Its port is 4318 unless it was changed.",
    )


def _collector(http: httpx.Client, addresses: Addresses) -> list[Check]:
    base = addresses.api_url.rstrip("/")
    alive = _ask(http, "GET", f"{base}/healthz")
    if isinstance(alive, str) or not alive.is_success:
        why = alive if isinstance(alive, str) else f"answered {alive.status_code}"
        return [
            Check(
                "API",
                "problem",
                f"{base} does not answer: {why}",
                "Start the collector (hotspan serve), or say where its API is: --api-url or "
                "HOTSPAN_API_URL.",
            )
        ]
    ready = _ask(http, "GET", f"{base}/readyz")
    return [
        Check("API", "ok", f"{base} answers"),
        _readiness(ready),
        *_state(http, base, addresses.api_key),
        *_ingest(http, base, addresses.api_key),
    ]


def _readiness(ready: httpx.Response | str) -> Check:
    if isinstance(ready, str):
        return Check("store and evaluator", "problem", ready, "Look into the collector's log.")
    if ready.is_success:
        return Check("store and evaluator", "ok", "both work")
    try:
        known = Problem.model_validate_json(ready.content, extra="ignore")
    except ValidationError:
        known = Problem(code="", message=f"/readyz answered {ready.status_code}")
    todo = (
        "Is ClickHouse running, and HOTSPAN_STORE right? The collector goes on by itself."
        if known.code == "store_unavailable"
        else "A collector that has just started needs some seconds; else look into its log."
    )
    return Check("store and evaluator", "problem", known.message, todo)


def _state(http: httpx.Client, base: str, key: str) -> list[Check]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = _ask(http, "GET", f"{base}/api/v1/status", headers=headers)
    if isinstance(answer, str):
        return [Check("status", "problem", answer, "Look into the collector's log.")]
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        todo = "Set HOTSPAN_API_KEY to one of the collector's HOTSPAN_API_KEYS."
        return [Check("status", "problem", "The API asks for a key", todo)]
    try:
        status = Status.model_validate_json(answer.content, extra="ignore")
    except ValidationError:
        todo = "Use the command line of the collector's version."
        return [Check("status", "problem", f"{base} answered what is not understood", todo)]
    return [
        _version(status),
        _spans(status),
        _evaluator(status),
        *_set_aside(status),
        *_alerts(status),
    ]


def _ingest(http: httpx.Client, base: str, key: str) -> list[Check]:
    """Look at what waits on disk, and at what the store refused; silent where that is not known."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    ledger = _ask(http, "GET", f"{base}/api/v1/ingest", headers=headers)
    refused = _ask(http, "GET", f"{base}/api/v1/quarantine", headers=headers)
    if isinstance(ledger, str) or isinstance(refused, str):
        return []
    try:
        state = Ingest.model_validate_json(ledger.content, extra="ignore")
        items = QuarantineReport.model_validate_json(refused.content, extra="ignore").items
    except ValidationError:
        return []
    checks = []
    if state.spool_batches:
        found = f"{state.spool_batches:,} batches ({state.spool_bytes:,} bytes) wait on disk"
        todo = "The store takes no spans: look for store_down in the collector's log."
        checks.append(Check("spool", "warning", found, "" if state.store_up else todo))
    if items:
        found = f"{sum(item.spans for item in items):,} spans; the last: {items[-1].message[:200]}"
        todo = "Look at them with: hotspan quarantine. Store them after an upgrade: --replay."
        checks.append(Check("quarantine", "warning", found, todo))
    return checks


def _version(status: Status) -> Check:
    found = f"version {status.version}, store {status.store}, roles {', '.join(status.roles)}"
    return Check("collector", "ok", found)


def _spans(status: Status) -> Check:
    if not status.spans_stored and not status.spans_rejected:
        return Check(
            "spans",
            "warning",
            "none have come since the collector started",
            "Run an application with: opentelemetry-instrument python manage.py runserver. "
            "python -m hotspan_instrumentation doctor checks it.",
        )
    if status.spans_rejected:
        return Check(
            "spans",
            "warning",
            f"{status.spans_stored:,} stored, {status.spans_rejected:,} rejected",
            "Senders are told why (partial_success), and the collector's log says it.",
        )
    return Check("spans", "ok", f"{status.spans_stored:,} stored")


def _evaluator(status: Status) -> Check:
    lag_s = status.evaluator_lag_s
    owner = next((duty.owner for duty in status.duties if duty.name == "evaluate"), "")
    where = f", in {owner}" if owner else ""
    if status.duties and not owner:
        todo = "Start a collector with the role evaluate (hotspan serve --roles evaluate)."
        return Check("evaluator", "problem", "no process evaluates", todo)
    if lag_s is None:
        return Check("evaluator", "problem", f"has not run{where}", "Look into its log.")
    if lag_s > _SLOW_EVALUATOR_S:
        found = f"{lag_s:.0f} s behind{where}"
        return Check("evaluator", "warning", found, "Look for tick_failed in its log.")
    return Check("evaluator", "ok", f"{lag_s:.1f} s behind{where}")


def _set_aside(status: Status) -> list[Check]:
    if not status.traces_set_aside:
        return []
    trace_id, reason = [*status.traces_set_aside.items()][-1]
    found = (
        f"{len(status.traces_set_aside)} could not be evaluated, the last one {trace_id}: {reason}"
    )
    todo = "They are tried again when more of their spans come. Look at what makes them so large."
    return [Check("traces", "warning", found, todo)]


def _alerts(status: Status) -> list[Check]:
    if status.alerts_failed:
        found = f"{status.alerts_failed:,} given up, {status.alerts_pending:,} waiting"
        todo = (
            "Look for alert_given_up in the collector's log, and check HOTSPAN_ALERT_WEBHOOK_URL."
        )
        return [Check("alerts", "warning", found, todo)]
    if status.alerts_pending:
        return [Check("alerts", "ok", f"{status.alerts_pending:,} waiting")]
    return []


def _ui(http: httpx.Client, url: str) -> Check:
    answer = _ask(http, "GET", f"{url.rstrip('/')}/_stcore/health")
    if isinstance(answer, str):
        todo = "Start it with: hotspan ui. If it is elsewhere, say so with --ui-url."
        return Check("UI", "warning", f"{url} does not answer: {answer}", todo)
    if answer.is_success:
        return Check("UI", "ok", f"{url} answers")
    return Check("UI", "warning", f"{url} answered {answer.status_code}", "Is that the UI?")


def _ask(
    http: httpx.Client,
    method: str,
    url: str,
    *,
    content: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response | str:
    """Return the answer, or why there is none."""
    try:
        return http.request(method, url, content=content, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return str(error) or type(error).__name__
