"""The JSON that Alertmanager sends to webhooks (version 4): what takes its alerts takes ours.

Each message tells of one violation: receivers fold messages by `groupKey`, and one violation's
resolution must not resolve another.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from datetime import datetime

    from hotspan_collector.api.models import Code, Fix, Violation
    from hotspan_collector.rules.violation import Event

__all__ = ["message"]

_RECEIVER = "hotspan"
# Alertmanager's "has not ended".
_NEVER = "0001-01-01T00:00:00Z"


def message(
    violation: Violation, *, event: Event, opened_at: datetime, at: datetime, ui_url: str
) -> dict[str, Any]:
    """Return the message that tells of a violation's opening or resolution.

    Args:
        violation: as it is now.
        event: what happened to it.
        opened_at: when it opened; equal in both messages.
        at: when it happened.
        ui_url: where the UI is.

    """
    resolved = event in {"resolved", "fixed"}
    status = "resolved" if resolved else "firing"
    labels = _labels(violation)
    annotations = _annotations(violation, event=event)
    group = {"alertname": labels["alertname"], "violation": violation.id}
    base = ui_url.rstrip("/")
    return {
        "version": "4",
        "groupKey": f"{{}}:{_matchers(group)}",
        "truncatedAlerts": 0,
        "status": status,
        "receiver": _RECEIVER,
        "groupLabels": group,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": base,
        "alerts": [
            {
                "status": status,
                "labels": labels,
                "annotations": annotations,
                "startsAt": _rfc3339(opened_at),
                "endsAt": _rfc3339(at) if resolved else _NEVER,
                "generatorURL": f"{base}/violation?id={quote(violation.id, safe='')}",
                "fingerprint": hashlib.sha256(violation.id.encode()).hexdigest()[:16],
            }
        ],
    }


def _labels(violation: Violation) -> dict[str, str]:
    labels = {
        "alertname": violation.rule,
        "severity": violation.severity,
        "service": violation.service,
        "namespace": violation.namespace,
        "environment": violation.environment,
        "entry": violation.entry,
        "entry_kind": violation.entry_kind,
        "violation": violation.id,
    }
    # In Prometheus an empty label is one that is not there.
    return {name: value for name, value in labels.items() if value}


def _annotations(violation: Violation, *, event: Event) -> dict[str, str]:
    where = violation.entry or violation.service
    annotations = {
        "summary": f"{violation.title} in {where}: {violation.summary}",
        "description": _description(violation, event=event),
        "suggestion": violation.suggestion,
        "code": _place(violation.code),
        "state": _state(violation, event=event),
    }
    return {name: value for name, value in annotations.items() if value}


def _state(violation: Violation, *, event: Event) -> str:
    match event:
        case "fixed":
            return "verified fixed"
        case "regressed":
            return "regressed"
        case "resolved" if violation.status == "resolved":
            return "resolved"
        case "resolved":
            return "quiet, not verified"
        case _:
            return "open"


def _description(violation: Violation, *, event: Event) -> str:
    cost = (
        f"{violation.hits} of {violation.entries} entries hit, {violation.wasted_ms:.0f} ms lost "
        f"in each on average, {violation.lost_seconds_per_day:.1f} s in the last day."
    )
    match event:
        case "fixed" if violation.fix is not None:
            return f"Verified fixed: {_proof(violation.fix)}"
        case "regressed":
            release = violation.regressed_release
            return (
                f"It was verified fixed, and came back{f' in {release}' if release else ''}. {cost}"
            )
        case "resolved" if violation.status == "resolved":
            return f"Its condition holds no more. {cost}"
        case "resolved":
            return (
                f"Quiet, not verified: not seen since {_rfc3339(violation.last_seen)}, which is no "
                f"proof that it was mended. {cost}"
            )
        case _:
            return cost


def _proof(fix: Fix) -> str:
    where = f" of {', '.join(fix.releases)}" if fix.releases else ""
    return (
        f"{fix.entries} entries{where} ran without it; {fix.entries_needed} prove it. Queries an "
        f"entry {fix.queries_before:.1f} before, {fix.queries_after:.1f} after; time an entry "
        f"{fix.duration_ms_before:.0f} ms before, {fix.duration_ms_after:.0f} ms after. It lost "
        f"{fix.lost_seconds_per_day_before:.1f} s a day."
    )


def _place(code: Code | None) -> str:
    if code is None:
        return ""
    where = f"{code.file}:{code.line}" if code.line else code.file
    return f"{where} in {code.function}" if code.function else where


def _matchers(labels: dict[str, str]) -> str:
    pairs = ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items()
    )
    return f"{{{pairs}}}"


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
