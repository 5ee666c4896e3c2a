"""What the UI reads of the API's answers. Fields it does not know are ignored."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  pydantic reads annotations at run time
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

Severity = Literal["info", "warning", "critical"]
Attributes = dict[str, JsonValue]


class Answer(BaseModel):
    """Base of all answers: immutable, and tolerant of a newer API."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Code(Answer):
    """A place in the user's code."""

    file: str
    line: int
    function: str = ""


class Service(Answer):
    """A service in one environment."""

    name: str
    environment: str
    entries: int = 0


class Services(Answer):
    """All services."""

    services: tuple[Service, ...]


class TraceSummary(Answer):
    """One entry found by a search."""

    trace_id: str
    entry_span_id: str
    start: datetime
    duration_ms: float
    service: str
    environment: str
    version: str = ""
    kind: str
    name: str
    error: bool
    http_status: int | None = None
    task_state: str | None = None
    spans: int
    queries: int
    findings: int
    partial: bool = False


class TraceSummaries(Answer):
    """One page of a search."""

    traces: tuple[TraceSummary, ...]
    next_cursor: str | None = None


class TraceSpan(Answer):
    """A span as the waterfall needs it."""

    span_id: str
    parent_span_id: str | None = None
    name: str
    service: str
    kind: str = "unspecified"
    start_us: float
    duration_us: float
    status: str = "unset"
    statement: str | None = None
    statement_fingerprint: str | None = None
    code: Code | None = None


class Evidence(Answer):
    """Why a rule fired."""

    span_ids: tuple[str, ...] = ()
    statement: str | None = None
    details: Attributes = {}
    missing_attributes: tuple[str, ...] = ()


class Finding(Answer):
    """One hit of a rule in one entry."""

    rule: str
    severity: Severity
    confidence: str
    entry: str
    entry_span_id: str
    fingerprint: str
    count: int
    wasted_ms: float
    evidence: Evidence
    suggestion: str
    code: Code | None = None


class Trace(Answer):
    """All spans of a trace."""

    trace_id: str
    start: datetime
    duration_ms: float
    services: tuple[str, ...]
    spans: tuple[TraceSpan, ...]
    truncated: bool = False
    total_spans: int
    findings: tuple[Finding, ...] = ()


class SpanEvent(Answer):
    """An event of a span."""

    name: str
    offset_us: float
    attributes: Attributes = {}


class SpanLink(Answer):
    """A link to another span."""

    trace_id: str
    span_id: str
    attributes: Attributes = {}


class Span(TraceSpan):
    """A span with all it carries."""

    start: datetime
    status_message: str = ""
    trace_state: str = ""
    scope_name: str = ""
    scope_version: str = ""
    scope: Attributes = {}
    attributes: Attributes = {}
    resource: Attributes = {}
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()


class Ignored(Answer):
    """Until when a violation is ignored: whichever comes first."""

    until: datetime | None = None
    more_hits: int | None = None
    impact_factor: float | None = None
    next_release: bool = False


class Fix(Answer):
    """What shows that a violation is gone, as far as it does yet."""

    releases: tuple[str, ...] = ()
    entries: int
    entries_needed: int
    queries_before: float
    queries_after: float
    duration_ms_before: float
    duration_ms_after: float
    lost_seconds_per_day_before: float


class Violation(Answer):
    """All findings of one fingerprint."""

    id: str
    rule: str
    title: str
    severity: Severity
    confidence: str
    status: str
    quiet: bool = False
    status_since: datetime | None = None
    status_by: str = ""
    status_reason: str = ""
    ignored: Ignored | None = None
    fix: Fix | None = None
    regressed_release: str | None = None
    service: str
    namespace: str = ""
    environment: str
    entry: str
    entry_kind: str
    hits: int
    entries: int
    count: int
    wasted_ms: float
    lost_seconds_per_day: float
    first_seen: datetime
    last_seen: datetime
    first_release: str = ""
    last_release: str = ""
    code: Code | None = None
    suggestion: str
    summary: str


class Violations(Answer):
    """Violations, worst first."""

    violations: tuple[Violation, ...]
    total: int


class Occurrence(Answer):
    """An entry in which a violation was found."""

    trace_id: str
    entry_span_id: str
    at: datetime
    duration_ms: float
    count: int
    wasted_ms: float
    version: str = ""


class ViolationChange(Answer):
    """Something that became of a violation."""

    at: datetime
    event: str
    by: str = ""
    reason: str = ""
    release: str = ""


class RuleSetting(Answer):
    """A setting of a rule."""

    name: str
    default: JsonValue = None
    value: JsonValue = None
    unit: str = ""
    reason: str = ""


class RuleRun(Answer):
    """How a rule did when it last ran."""

    at: datetime
    duration_ms: float
    entries: int
    failures: int = 0
    error: str = ""


class RuleScope(Answer):
    """Values that hold where all conditions do."""

    id: str = ""
    kind: str = ""
    environment: str = ""
    service: str = ""
    entry: str = ""
    queue: str = ""
    fingerprint: str = ""
    values: Attributes
    by: str = ""
    reason: str = ""


class Rule(Answer):
    """A rule of the catalogue."""

    id: str
    state: str = ""
    origin: str = ""
    last_run: RuleRun | None = None
    scopes: tuple[RuleScope, ...] = ()
    title: str
    finds: str
    why: str
    settings: tuple[RuleSetting, ...] = ()
    needs: tuple[str, ...] = ()
    docs: str = ""


class Rules(Answer):
    """The catalogue."""

    rules: tuple[Rule, ...]
    canary: RuleRun | None = None
    problems: tuple[str, ...] = ()


class ViolationDetail(Violation):
    """A violation with its evidence."""

    evidence: Evidence
    evidence_trace_id: str
    evidence_entry_span_id: str
    occurrences: tuple[Occurrence, ...] = ()
    rule_info: Rule
    history: tuple[ViolationChange, ...] = ()
    actions: tuple[str, ...] = ()


class Status(Answer):
    """Is everything working, and how far behind is it."""

    version: str
    store: str
    spans_stored: int
    spans_rejected: int
    evaluator_lag_s: float | None = None
    evaluator_pending_entries: int
    last_evaluated_entry: datetime | None = None
    alerts_pending: int
    failing_rules: dict[str, str] = {}
    traces_set_aside: dict[str, str] = {}


class ServiceSpans(Answer):
    """What became of a service's spans since the collector's start."""

    service: str
    received: int
    stored: int
    rejected: dict[str, int] = {}
    """By reason: the sender was told."""
    dropped: dict[str, int] = {}
    """By reason: not stored by the collector though they might have been."""
    pending: int = 0


class Ingest(Answer):
    """The ledger: received = stored + rejected + dropped + pending, and what waits on disk."""

    services: tuple[ServiceSpans, ...]
    store_up: bool = True
    spool_batches: int = 0
    spool_bytes: int = 0
    spool_max_bytes: int = 0


class Problem(Answer):
    """An error answer."""

    code: str
    message: str
