"""What the API answers: the contract with the UI, the command line and other clients.

Times are RFC 3339 in UTC; durations are milliseconds where the name ends in `_ms`, microseconds
where it ends in `_us`; ids are lower-case hex. A field that is unknown is `null`, never a magic
value.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (read by pydantic)
from typing import Literal

from pydantic import Field, JsonValue

from hotspan_collector.api.rule_models import Rule  # noqa: TC001 (read by pydantic)
from hotspan_collector.api.wire import Model

Severity = Literal["info", "warning", "critical"]
Confidence = Literal["low", "medium", "high"]
EntryKind = Literal["web", "task", "command"]
ViolationStatus = Literal[
    "open", "acknowledged", "ignored", "resolving", "verified_fixed", "regressed", "resolved"
]


class Code(Model):
    """A place in the user's code."""

    file: str
    line: int
    function: str


class Service(Model):
    """A service in one environment."""

    name: str
    namespace: str
    environment: str
    versions: list[str] = Field(description="service.version values, newest first")
    entries: int = Field(description="Entries in the asked period")
    errors: int
    p50_ms: float
    p95_ms: float
    last_seen: datetime


class Services(Model):
    """`GET /api/v1/services`."""

    services: list[Service]


class EntryGroup(Model):
    """All entries of one route, task or command."""

    service: str
    environment: str
    kind: EntryKind
    name: str
    entries: int
    errors: int
    p50_ms: float
    p95_ms: float
    queries_mean: float
    queries_p95: float
    last_seen: datetime


class EntryGroups(Model):
    """`GET /api/v1/entries`."""

    entries: list[EntryGroup]


class TraceSummary(Model):
    """One entry found by a search; a trace has as many as it has entries."""

    trace_id: str
    entry_span_id: str
    start: datetime
    duration_ms: float
    service: str
    environment: str
    version: str
    kind: EntryKind
    name: str
    error: bool
    http_status: int | None
    task_state: str | None
    spans: int
    queries: int
    findings: int
    partial: bool


class TraceSummaries(Model):
    """`GET /api/v1/traces`."""

    traces: list[TraceSummary]
    next_cursor: str | None = Field(description="Pass as `cursor` to get the next page")


class TraceSpan(Model):
    """A span as the waterfall needs it; `GET …/spans/{span_id}` has the rest."""

    span_id: str
    parent_span_id: str | None
    entry_span_id: str | None
    name: str
    service: str
    kind: Literal["unspecified", "internal", "server", "client", "producer", "consumer"]
    start_us: float = Field(description="Microseconds since the start of the trace")
    duration_us: float
    status: Literal["unset", "ok", "error"]
    statement: str | None = Field(description="Database statement, if it is one")
    statement_fingerprint: str | None = Field(description="Equal for statements of one shape")
    code: Code | None


class Trace(Model):
    """`GET /api/v1/traces/{trace_id}`."""

    trace_id: str
    start: datetime
    duration_ms: float
    services: list[str]
    spans: list[TraceSpan] = Field(description="Ordered by start")
    truncated: bool = Field(description="More spans exist than were returned")
    total_spans: int
    findings: list[Finding]


class SpanEvent(Model):
    """An event of a span."""

    name: str
    offset_us: float = Field(description="Microseconds since the start of the span")
    attributes: dict[str, JsonValue]


class SpanLink(Model):
    """A link to another span."""

    trace_id: str
    span_id: str
    trace_state: str = ""
    attributes: dict[str, JsonValue]


class Span(TraceSpan):
    """`GET /api/v1/traces/{trace_id}/spans/{span_id}`: a span with all it carries."""

    start: datetime
    status_message: str
    trace_state: str
    flags: int = 0
    dropped_attributes: int = Field(default=0, description="By the sender, as are the next two")
    dropped_events: int = 0
    dropped_links: int = 0
    scope_name: str
    scope_version: str
    scope: dict[str, JsonValue] = Field(default={}, description="Attributes of the scope")
    dropped_scope_attributes: int = 0
    attributes: dict[str, JsonValue]
    resource: dict[str, JsonValue]
    dropped_resource_attributes: int = 0
    events: list[SpanEvent]
    links: list[SpanLink]


class Finding(Model):
    """One hit of a rule in one entry. The same fields as `hotspan check --format json`."""

    rule: str
    severity: Severity
    confidence: Confidence
    service: str
    entry: str
    entry_span_id: str
    trace_id: str
    fingerprint: str
    count: int
    wasted_ms: float
    evidence: Evidence
    suggestion: str
    code: Code | None


class Evidence(Model):
    """Why a rule fired."""

    span_ids: list[str] = Field(description="The offending spans, at most 20")
    statement: str | None = Field(default=None, description="Normalised text")
    details: dict[str, JsonValue] = Field(
        default_factory=dict, description="What the rule measured, by name"
    )
    missing_attributes: list[str] = Field(
        default_factory=list, description="What would have raised the confidence"
    )


class Ignored(Model):
    """Until when a violation is ignored: whichever comes first; without any of them, for ever."""

    since: datetime
    until: datetime | None
    more_hits: int | None
    impact_factor: float | None
    next_release: bool


class Fix(Model):
    """What shows that a violation is gone, as far as it does yet. Means are of one entry."""

    releases: list[str] = Field(description="In which it is gone; empty: since somebody's word")
    entries: int = Field(description="Complete entries that ran without a hit")
    entries_needed: int = Field(description="As many prove it: 17 of 44")
    hit_rate: float = Field(description="Share of entries that were hit before")
    queries_before: float
    queries_after: float
    duration_ms_before: float
    duration_ms_after: float
    lost_seconds_per_day_before: float
    verified_at: datetime | None


class Violation(Model):
    """All findings of one fingerprint."""

    id: str = Field(description="The fingerprint, `v1:…`")
    rule: str
    title: str
    severity: Severity
    confidence: Confidence
    status: ViolationStatus
    quiet: bool = Field(
        default=False, description="Not hit for a while: its alert rests, which proves nothing"
    )
    status_since: datetime | None = None
    status_by: str = Field(default="", description="Whose word it is; empty when nobody's")
    status_reason: str = ""
    ignored: Ignored | None = None
    fix: Fix | None = None
    regressed_release: str | None = Field(
        default=None, description="Brought it back after it was fixed"
    )
    service: str
    namespace: str
    environment: str
    entry: str = Field(description="Route, task or command; empty when it is about the service")
    entry_kind: EntryKind
    hits: int = Field(description="Entries hit")
    entries: int = Field(description="Entries of this route or task since the first hit")
    count: int = Field(description="Repetitions or occurrences in the worst entry")
    wasted_ms: float = Field(description="Mean time lost in an entry that is hit")
    lost_seconds_per_day: float
    first_seen: datetime
    last_seen: datetime
    first_release: str
    last_release: str
    code: Code | None
    suggestion: str
    summary: str = Field(description="One line: what happened, with its numbers")


class Violations(Model):
    """`GET /api/v1/violations`: worst first."""

    violations: list[Violation]
    total: int


class Occurrence(Model):
    """An entry in which the violation was found."""

    trace_id: str
    entry_span_id: str
    at: datetime
    duration_ms: float
    count: int
    wasted_ms: float
    version: str


class ViolationChange(Model):
    """Something that became of a violation."""

    at: datetime
    event: str
    from_status: str
    to_status: str
    by: str
    reason: str
    release: str


class ViolationAction(Model):
    """What somebody says of a violation."""

    by: str = Field(default="", max_length=200, description="Who says so")
    reason: str = Field(default="", max_length=2000, description="Why")


class IgnoreAction(ViolationAction):
    """Ignore until whichever comes first; without any condition for ever."""

    until: str = Field(
        default="", description="A time, RFC 3339, or for how long: `90m`, `12h`, `7d`"
    )
    more_hits: int | None = Field(default=None, ge=1, description="Until so many more hits")
    impact_factor: float | None = Field(
        default=None, gt=1, le=1e6, description="Until it costs so many times what it does now"
    )
    next_release: bool = Field(default=False, description="Until the next release is seen")


class ViolationDetail(Violation):
    """`GET /api/v1/violations/{id}`."""

    history: list[ViolationChange] = Field(default=[], description="Newest first, at most 50")
    actions: list[str] = Field(
        default=[], description="What may be done now: POST …/violations/{id}/{action}"
    )

    evidence: Evidence
    evidence_trace_id: str
    evidence_entry_span_id: str
    occurrences: list[Occurrence] = Field(description="Newest first, at most 20")
    rule_info: Rule


class Duty(Model):
    """What one process at a time does for a store: evaluating, or sending alerts."""

    name: str
    owner: str = Field(description="Host, process and a random part; empty: nobody does it")
    here: bool = Field(description="It is the process that answers")
    renewed_s_ago: float | None = Field(
        default=None, description="When it was last heard of; None: the store belongs to it"
    )


class Status(Model):
    """`GET /api/v1/status`: is everything working, and how far behind is it."""

    version: str
    store: str = Field(description="Kind and version of the store")
    spans_stored: int = Field(description="In the store now; one sent twice may count twice")
    spans_rejected: int = Field(description="Since the collector's start")
    evaluator_lag_s: float | None
    evaluator_pending_entries: int
    last_evaluated_entry: datetime | None
    alerts_pending: int
    failing_rules: dict[str, str] = Field(
        default={}, description="Rules that failed when they last ran, and why"
    )
    traces_set_aside: dict[str, str] = Field(
        default={},
        description="Traces that could not be evaluated, the last 20 since the start, and why",
    )
    alerts_failed: int = Field(default=0, description="Alerts given up, in the last 30 days")
    roles: list[str] = Field(
        default=["ingest", "evaluate", "alerts", "api"],
        description="What the process that answers does",
    )
    duties: list[Duty] = Field(default=[], description="Who evaluates, and who sends alerts")


class Health(Model):
    """`GET /healthz` and `GET /readyz`."""

    status: Literal["ok"]


class Problem(Model):
    """An error answer: `code` for programs, `message` for people, saying what to do."""

    code: str
    message: str
