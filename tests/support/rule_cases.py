"""Entries as small trees, and what one rule finds in each: how rules are tested.

Durations are milliseconds. Children follow one another unless `at` says when one begins.
"""

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from hotspan_collector.database import Row
from hotspan_collector.rules.catalogue import Catalogue, Rule
from hotspan_collector.rules.evaluator import Evaluator, Timing
from support.embedded import emptied_store
from support.evaluations import shipped_catalogue
from support.otlp_requests import MILLISECOND_NS, now_ns, request, span

_AGO_NS = 1_200_000 * MILLISECOND_NS
_IMMEDIATELY = Timing(settle_ms=0, settle_incomplete_ms=0, look_back_ms=60_000)

SITE = {
    "code.file.path": "/app/shop/views.py",
    "code.line.number": 42,
    "code.function.name": "shop.views.orders",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A span and what lies below it."""

    name: str
    kind: "Span.SpanKind.ValueType"
    ms: float | None = None
    at: float | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    raised: tuple[str, str] | None = None
    error: str = ""
    children: tuple["Node", ...] = ()
    environment: str = "production"

    def ends_at(self, begins_at: float) -> float:
        """When it ends, if it begins then and was not given a duration."""
        if self.ms is not None:
            return begins_at + self.ms
        return max((end for _, _, end in self.placed(begins_at)), default=begins_at) + 1

    def placed(self, begins_at: float) -> Sequence[tuple["Node", float, float]]:
        """Its children, with the times at which they begin and end."""
        places = []
        free = begins_at
        for child in self.children:
            begins = free if child.at is None else begins_at + child.at
            free = child.ends_at(begins)
            places.append((child, begins, free))
        return places


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a finding must be; what is None does not matter."""

    severity: str | None = None
    confidence: str | None = None
    count: int | None = None
    suggestion: str | None = None
    says: str = ""
    """Stands in the summary or in the suggestion."""
    line: int | None = None
    missing: tuple[str, ...] | None = None
    wasted_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An entry and what a rule must find in it; nothing when it is clean."""

    title: str
    entry: Node
    finds: tuple[Expected, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A finding, with its texts filled in."""

    severity: str
    confidence: str
    count: int
    suggestion: str
    text: str
    line: int
    missing: tuple[str, ...]
    wasted_ms: float
    spans: int
    entry: str

    def as_expected(self, expected: Expected) -> Expected:
        """Itself, as far as somebody cares."""
        return Expected(
            severity=expected.severity and self.severity,
            confidence=expected.confidence and self.confidence,
            count=None if expected.count is None else self.count,
            suggestion=expected.suggestion and self.suggestion,
            says=expected.says if expected.says in self.text else self.text,
            line=None if expected.line is None else self.line,
            missing=None if expected.missing is None else self.missing,
            wasted_ms=None if expected.wasted_ms is None else self.wasted_ms,
        )


def clean(title: str, entry: Node) -> Case:
    """An entry in which the rule must find nothing."""
    return Case(title=title, entry=entry)


def guilty(title: str, entry: Node, *finds: Expected) -> Case:
    """An entry in which the rule must find this."""
    return Case(title=title, entry=entry, finds=finds or (Expected(),))


def web(
    *children: Node, name: str = "GET orders/", ms: float | None = None, **extra: object
) -> Node:
    """A web request."""
    method, _, route = name.partition(" ")
    attributes = {
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": 200,
    }
    node = Node(name=name, kind=Span.SPAN_KIND_SERVER, children=children, ms=ms)
    return _described(node, attributes, extra)


def task(
    *children: Node, name: str = "shop.tasks.work", ms: float | None = None, **extra: object
) -> Node:
    """A run of a Celery task."""
    attributes = {
        "celery.action": "run",
        "celery.task_name": name,
        "celery.state": "SUCCESS",
        "messaging.message.id": os.urandom(8).hex(),
    }
    node = Node(name=f"run/{name}", kind=Span.SPAN_KIND_CONSUMER, children=children, ms=ms)
    return _described(node, attributes, extra)


def command(
    *children: Node, name: str = "nightly", ms: float | None = None, **extra: object
) -> Node:
    """A management command."""
    node = Node(name=name, kind=Span.SPAN_KIND_INTERNAL, children=children, ms=ms)
    return _described(node, {}, extra)


def _described(node: Node, attributes: Mapping[str, object], extra: Mapping[str, Any]) -> Node:
    """Return the same with attributes; one that is None is left out."""
    merged = {**attributes, **extra.get("attributes", {})}
    kept = {key: value for key, value in merged.items() if value is not None}
    return replace(node, **{**extra, "attributes": kept})


def query(
    statement: str,
    *,
    ms: float = 1,
    at: float | None = None,
    site: Mapping[str, object] | None = None,
    attributes: Mapping[str, object] | None = None,
) -> Node:
    """A statement; `site` is where it was made, which stock spans do not tell."""
    return Node(
        name=statement.split(maxsplit=1)[0],
        kind=Span.SPAN_KIND_CLIENT,
        ms=ms,
        at=at,
        attributes={
            "db.system.name": "postgresql",
            "db.query.text": statement,
            **(site or {}),
            **(attributes or {}),
        },
    )


def call(
    url: str = "https://api.example/v1/offers",
    *,
    ms: float = 1,
    at: float | None = None,
    method: str = "POST",
    status: int = 200,
    site: Mapping[str, object] | None = None,
    raised: tuple[str, str] | None = None,
    attributes: Mapping[str, object] | None = None,
    children: tuple[Node, ...] = (),
) -> Node:
    """A call over HTTP."""
    known = {"http.request.method": method, "url.full": url}
    answered = {} if raised else {"http.response.status_code": status}
    return Node(
        name=method,
        kind=Span.SPAN_KIND_CLIENT,
        ms=ms,
        at=at,
        raised=raised,
        error=raised[1] if raised else "",
        attributes={**known, **answered, **(site or {}), **(attributes or {})},
        children=children,
    )


def internal(
    *children: Node,
    name: str,
    ms: float | None = None,
    at: float | None = None,
    attributes: Mapping[str, object] | None = None,
) -> Node:
    """A span inside the process, such as a transaction."""
    return Node(
        name=name,
        kind=Span.SPAN_KIND_INTERNAL,
        ms=ms,
        at=at,
        children=children,
        attributes=attributes or {},
    )


def after(ms: float, node: Node) -> Node:
    """The same, beginning at a time of its entry."""
    return replace(node, at=ms)


def find(cases: Mapping[str, Sequence[Case]]) -> Mapping[str, Mapping[str, Sequence[Found]]]:
    """Evaluate the cases of several rules at once; return what each finds in its own, by title."""
    traces = {
        f"{number:032x}": (rule_id, case)
        for number, (rule_id, case) in enumerate(
            ((rule_id, case) for rule_id, its in cases.items() for case in its), start=1
        )
    }
    rules = shipped_catalogue().rules
    store = emptied_store()
    # Serialized requests can be joined: their only field is repeated.
    body = b"".join(
        request(spans_of(case.entry, trace_id=trace_id), environment=case.entry.environment)
        for trace_id, (_, case) in traces.items()
    )
    store.insert_spans(body, token="cases of single rules")
    evaluator = Evaluator(
        store,
        catalogue=Catalogue({rule_id: rules[rule_id] for rule_id in cases}),
        timing=_IMMEDIATELY,
        open_after_hits=1,
    )
    report = evaluator.tick()
    assert report.failed_rules == {}, report.failed_rules
    assert report.entries >= len(traces)
    found: dict[str, dict[str, list[Found]]] = {
        rule_id: {case.title: [] for case in its} for rule_id, its in cases.items()
    }
    for row in store.rows(_FINDINGS):
        rule_id, case = traces[row["trace"]]
        if row["rule"] == rule_id:
            found[rule_id][case.title].append(_found(rules[rule_id], row))
    return found


def _found(rule: Rule, row: Row) -> Found:
    known = {
        **row["details"],
        "count": row["count"],
        "wasted": f"{row['wasted_ns'] / 1e6} ms",
    }
    # KeyError: the text names what the SQL does not give.
    text = " ".join(
        (
            rule.summary.format_map(known),
            rule.suggestions[row["suggestion"]].format_map(row["details"]),
        )
    )
    return Found(
        severity=row["severity"],
        confidence=row["confidence"],
        count=row["count"],
        suggestion=row["suggestion"],
        text=text,
        line=row["code_line"],
        missing=tuple(row["missing"]),
        wasted_ms=row["wasted_ns"] / 1e6,
        spans=row["spans"],
        entry=row["entry_name"],
    )


def assert_found(case: Case, found: Sequence[Found]) -> None:
    """The findings are those expected, in any order of their severity."""
    assert len(found) == len(case.finds), [each.text for each in found]
    for expected, each in zip(case.finds, found, strict=True):
        assert each.as_expected(expected) == expected
        assert 1 <= each.spans <= 20


_FINDINGS = """
SELECT
    rule, lower(hex(trace_id)) AS trace,
    toString(severity) AS severity, toString(confidence) AS confidence, count, wasted_ns,
    suggestion, details, missing, code_line, length(span_ids) AS spans, entry_name
FROM findings
ORDER BY findings.severity DESC, count DESC, statement
"""


def spans_of(entry: Node, *, trace_id: str) -> list[Span]:
    """Return the spans of a tree, which began twenty minutes ago."""
    numbers = itertools.count(1)
    started_ns = now_ns() - _AGO_NS
    made: list[Span] = []

    def add(node: Node, parent: str, begins: float, ends: float) -> None:
        span_id = f"{next(numbers):016x}"
        made.append(
            span(
                node.name,
                trace_id=trace_id,
                span_id=span_id,
                parent=parent,
                start_ns=started_ns + round(begins * MILLISECOND_NS),
                duration_ms=ends - begins,
                kind=node.kind,
                attributes=node.attributes,
                error=node.error,
                events=_raised(node.raised, at_ns=started_ns + round(ends * MILLISECOND_NS)),
            )
        )
        for child, child_begins, child_ends in node.placed(begins):
            add(child, span_id, child_begins, child_ends)

    add(entry, "", 0, entry.ends_at(0))
    return made


def _raised(raised: tuple[str, str] | None, *, at_ns: int) -> list[Span.Event]:
    if raised is None:
        return []
    event = Span.Event(name="exception", time_unix_nano=at_ns)
    frames = (
        'File "/app/shop/tasks.py", line 7, in work',
        'File "/venv/lib/python3.11/site-packages/requests/api.py", line 59, in request',
    )
    stacktrace = "\n".join(
        ("Traceback (most recent call last):", *(f"  {each}" for each in frames))
    )
    for key, value in {
        "exception.type": raised[0],
        "exception.message": raised[1],
        "exception.stacktrace": stacktrace,
    }.items():
        event.attributes.add(key=key).value.string_value = value
    return [event]
