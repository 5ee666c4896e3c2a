"""The message that receivers of Alertmanager's webhooks take."""

from datetime import UTC, datetime

from hotspan_collector.alerts.webhook import message
from hotspan_collector.api.models import Code, Fix, Violation

_OPENED = datetime(2026, 11, 22, 10, tzinfo=UTC)
_RESOLVED = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


def violation(**changes) -> Violation:
    known = {
        "id": "v1:00ff",
        "rule": "n_plus_one",
        "title": "N+1 queries",
        "severity": "critical",
        "confidence": "medium",
        "status": "open",
        "service": "shop",
        "namespace": "",
        "environment": "production",
        "entry": "GET orders/",
        "entry_kind": "web",
        "hits": 12,
        "entries": 40,
        "count": 214,
        "wasted_ms": 812.4,
        "lost_seconds_per_day": 97.25,
        "first_seen": datetime(2026, 11, 21, tzinfo=UTC),
        "last_seen": datetime(2026, 11, 22, 11, tzinfo=UTC),
        "first_release": "1.0.0",
        "last_release": "1.0.0",
        "code": Code(file="/app/shop/views.py", line=42, function="order_list"),
        "suggestion": 'select_related("customer")',
        "summary": "214 times the same query",
    }
    return Violation(**{**known, **changes})


def opened(**changes) -> dict:
    return message(
        violation(**changes),
        event="opened",
        opened_at=_OPENED,
        at=_OPENED,
        ui_url="http://ui.example:8501/",
    )


def resolved(**changes) -> dict:
    return message(
        violation(quiet=True, **changes),
        event="resolved",
        opened_at=_OPENED,
        at=_RESOLVED,
        ui_url="http://ui.example:8501",
    )


def test_an_opening_is_a_firing_alert():
    """All that is needed to act stands in the message."""
    labels = {
        "alertname": "n_plus_one",
        "severity": "critical",
        "service": "shop",
        "environment": "production",
        "entry": "GET orders/",
        "entry_kind": "web",
        "violation": "v1:00ff",
    }
    annotations = {
        "summary": "N+1 queries in GET orders/: 214 times the same query",
        "description": "12 of 40 entries hit, 812 ms lost in each on average, 97.2 s in the last "
        "day.",
        "suggestion": 'select_related("customer")',
        "code": "/app/shop/views.py:42 in order_list",
        "state": "open",
    }

    assert opened() == {
        "version": "4",
        "groupKey": '{}:{alertname="n_plus_one", violation="v1:00ff"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "hotspan",
        "groupLabels": {"alertname": "n_plus_one", "violation": "v1:00ff"},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "http://ui.example:8501",
        "alerts": [
            {
                "status": "firing",
                "labels": labels,
                "annotations": annotations,
                "startsAt": "2026-11-22T10:00:00.000Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://ui.example:8501/violation?id=v1%3A00ff",
                "fingerprint": opened()["alerts"][0]["fingerprint"],
            }
        ],
    }


def test_a_resolution_says_that_silence_is_no_proof():
    """Quiet is not verified."""
    told = resolved()
    (alert,) = told["alerts"]

    assert (told["status"], alert["status"]) == ("resolved", "resolved")
    assert alert["endsAt"] == "2026-11-22T12:30:00.000Z"
    assert alert["annotations"]["state"] == "quiet, not verified"
    assert alert["annotations"]["description"].startswith(
        "Quiet, not verified: not seen since 2026-11-22T11:00:00.000Z"
    )


def test_a_proof_resolves_with_its_numbers():
    """What it was like before and after is what a fix is worth."""
    fix = Fix(
        releases=["1.1.0"],
        entries=44,
        entries_needed=44,
        hit_rate=0.1,
        queries_before=214,
        queries_after=3,
        duration_ms_before=900,
        duration_ms_after=40,
        lost_seconds_per_day_before=97.25,
        verified_at=_RESOLVED,
    )
    told = message(
        violation(status="verified_fixed", fix=fix),
        event="fixed",
        opened_at=_OPENED,
        at=_RESOLVED,
        ui_url="http://ui.example:8501",
    )
    annotations = told["alerts"][0]["annotations"]

    assert (told["status"], annotations["state"]) == ("resolved", "verified fixed")
    assert annotations["description"] == (
        "Verified fixed: 44 entries of 1.1.0 ran without it; 44 prove it. Queries an entry 214.0 "
        "before, 3.0 after; time an entry 900 ms before, 40 ms after. It lost 97.2 s a day."
    )


def test_a_regression_fires_and_names_its_release():
    """It was verified fixed: that is worth another word than open."""
    told = message(
        violation(status="regressed", regressed_release="1.2.0"),
        event="regressed",
        opened_at=_OPENED,
        at=_OPENED,
        ui_url="http://ui.example:8501",
    )
    annotations = told["alerts"][0]["annotations"]

    assert (told["status"], annotations["state"]) == ("firing", "regressed")
    assert "came back in 1.2.0" in annotations["description"]


def test_a_resolution_is_of_the_alert_that_was_opened():
    """Receivers pair the two messages by group key and fingerprint, whatever else has changed."""
    first, last = opened(severity="warning"), resolved(severity="critical")

    assert first["groupKey"] == last["groupKey"]
    assert first["alerts"][0]["fingerprint"] == last["alerts"][0]["fingerprint"]
    assert first["alerts"][0]["startsAt"] == last["alerts"][0]["startsAt"]


def test_two_violations_are_two_groups():
    """The resolution of one must not resolve the other."""
    assert opened()["groupKey"] != opened(id="v1:11ee")["groupKey"]


def test_a_problem_of_a_whole_service_names_the_service():
    """It has no entry."""
    (alert,) = opened(entry="")["alerts"]

    assert alert["annotations"]["summary"].startswith("N+1 queries in shop: ")
    assert "entry" not in alert["labels"]


def test_what_is_unknown_is_left_out():
    """An empty label would be none to Prometheus; an empty annotation says nothing."""
    told = opened(code=None, suggestion="", environment="")
    (alert,) = told["alerts"]

    assert {"code", "suggestion"}.isdisjoint(alert["annotations"])
    assert "environment" not in alert["labels"]
