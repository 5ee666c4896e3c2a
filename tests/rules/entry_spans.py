"""Builds the spans of one entry as Django and Celery would send them, stock or enriched."""

import itertools
import json
from collections.abc import Sequence
from hashlib import blake2b

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from support.otlp_requests import MILLISECOND_NS, now_ns, request, span

_numbers = itertools.count(1)


class EntrySpans:
    """The spans of one request or task, each beginning when the one before has ended.

    Args:
        enriched: Whether our instrumentation adds its attributes.
        each_param: Whether it also tells each parameter of a statement.
        query_ms: How long a query takes.
        task: The name of the Celery task; a web request without one.
        command: The name of the management command, in the place of a request.
        stable: Whether attributes have the stable names of the semantic conventions.

    """

    def __init__(
        self,
        *,
        enriched: bool = True,
        each_param: bool = True,
        query_ms: float = 3,
        route: str = "orders/",
        task: str = "",
        command: str = "",
        stable: bool = False,
        system: str = "postgresql",
        trace_id: str = "",
        parent: str = "",
    ) -> None:
        self.trace_id = trace_id or f"{next(_numbers):032x}"
        self.entry_id = f"{next(_numbers):016x}"
        self.enriched = enriched
        self._each_param = each_param
        self._query_ms = query_ms
        self._route = route
        self._task = task
        self._command = command
        self._stable = stable
        self._cpu_ms = 0.0
        self._below = ""
        self._system = system
        self._parent = parent
        self._started_ns = now_ns() - 3_600_000 * MILLISECOND_NS
        self._now_ns = self._started_ns + MILLISECOND_NS
        self._spans: list[Span] = []

    def query(
        self,
        sql: str,
        *params: object,
        relation: str = "",
        source: object = None,
        target: object = None,
        line: int = 10,
        ms: float = 0,
        parent: str = "",
        batch: int = 0,
        rows: int | None = None,
        side_by_side: bool = False,
        database: str = "",
    ) -> str:
        """Run a statement; return its span's id."""
        attributes: dict[str, object] = {"db.system": self._system, "db.statement": sql}
        if batch:
            attributes["db.operation.batch.size"] = batch
        if rows is not None and self.enriched:
            attributes["db.response.returned_rows"] = rows
        if self.enriched:
            attributes |= _site(line) | _parameters(params, each=self._each_param)
            if database:
                attributes["hotspan.db.alias"] = database
            if relation:
                attributes |= {
                    "hotspan.orm.model": "shop.Order",
                    "hotspan.orm.relation": relation,
                    "hotspan.orm.source_key": _hash(source),
                }
            if target is not None:
                attributes["hotspan.orm.target_key"] = _hash(target)
        return self._add(
            sql.split(maxsplit=1)[0],
            attributes,
            ms=ms or self._query_ms,
            parent=parent,
            side_by_side=side_by_side,
        )

    def cache(self, statement: str, *, line: int = 20, pipeline: int = 0) -> None:
        """Send a command to Redis; stock spans mask its arguments."""
        attributes: dict[str, object] = {"db.system": "redis", "db.statement": statement}
        if pipeline:
            attributes["db.redis.pipeline_length"] = pipeline
        if self.enriched:
            attributes |= _site(line)
        self._add(statement.split(maxsplit=1)[0], attributes, ms=0.4)

    def call(
        self,
        url: str,
        *,
        method: str = "GET",
        ms: float = 40,
        status: int = 200,
        side_by_side: bool = False,
        retry: int = 0,
        parent: str = "",
    ) -> str:
        """Call another service; return the span's id."""
        attributes: dict[str, object] = {
            "http.method": method,
            "http.url": url,
            "http.status_code": status,
        }
        if self.enriched:
            attributes |= _site(30) | {"hotspan.client.timeout_s": 10.0}
            if retry:
                attributes["hotspan.client.retry"] = retry
        return self._add(method, attributes, ms=ms, side_by_side=side_by_side, parent=parent)

    def aws(self, operation: str, *, ms: float = 40) -> None:
        """Call a service of AWS, as botocore's instrumentation shows it: `S3.PutObject`."""
        service, _, method = operation.partition(".")
        attributes: dict[str, object] = {
            "rpc.system": "aws-api",
            "rpc.service": service,
            "rpc.method": method,
        }
        if self.enriched:
            attributes |= _site(30) | {"hotspan.client.timeout_s": 60.0}
        self._add(operation, attributes, ms=ms)

    def sleep(self, ms: float) -> None:
        """Let time pass."""
        self._now_ns += round(ms * MILLISECOND_NS)

    def compute(self, ms: float) -> None:
        """Let time pass in which a core is busy."""
        self.sleep(ms)
        self._cpu_ms += ms

    def inside(self, name: str) -> None:
        """Go on inside a span of the process, such as a template's."""
        self._below = ""
        self._below = self._add(name, {}, ms=0.1, kind=Span.SPAN_KIND_INTERNAL)

    def spans(self) -> Sequence[Span]:
        """Return what was done, and the entry around it."""
        return [self._entry(), *self._spans]

    def body(self) -> bytes:
        """Return it as a serialized request."""
        return request(self.spans(), service="worker" if self._task else "shop")

    def _add(
        self,
        name: str,
        attributes: dict[str, object],
        *,
        ms: float,
        parent: str = "",
        side_by_side: bool = False,
        kind: "Span.SpanKind.ValueType" = Span.SPAN_KIND_CLIENT,
    ) -> str:
        span_id = f"{next(_numbers):016x}"
        # A library below a library begins with it.
        started = self._spans[-1].start_time_unix_nano if parent else self._now_ns
        self._spans.append(
            span(
                name,
                trace_id=self.trace_id,
                span_id=span_id,
                parent=parent or self._below or self.entry_id,
                start_ns=started,
                duration_ms=ms,
                kind=kind,
                attributes=self._named(attributes),
            )
        )
        if not parent:
            pause_ms = 0.2 if side_by_side else ms + 0.2
            self._now_ns += round(pause_ms * MILLISECOND_NS)
        return span_id

    def _entry(self) -> Span:
        ends = [each.end_time_unix_nano for each in self._spans]
        duration_ms = (max([*ends, self._now_ns]) - self._started_ns) / MILLISECOND_NS + 1
        if self._task:
            kind, name = Span.SPAN_KIND_CONSUMER, f"run/{self._task}"
            attributes = {"celery.task_name": self._task, "celery.state": "SUCCESS"}
        elif self._command:
            kind, name, attributes = Span.SPAN_KIND_INTERNAL, self._command, {}
        else:
            kind, name = Span.SPAN_KIND_SERVER, f"GET {self._route}"
            attributes = {
                "http.method": "GET",
                "http.route": self._route,
                "http.status_code": "200",
            }
        if self.enriched:
            attributes["hotspan.cpu_ms"] = self._cpu_ms + 0.2 * len(self._spans)
        return span(
            name,
            trace_id=self.trace_id,
            span_id=self.entry_id,
            parent=self._parent,
            start_ns=self._started_ns,
            duration_ms=duration_ms,
            kind=kind,
            attributes=self._named(attributes),
        )

    def _named(self, attributes: dict[str, object]) -> dict[str, object]:
        if not self._stable:
            return attributes
        return {_STABLE.get(name, name): value for name, value in attributes.items()}


_STABLE = {
    "db.system": "db.system.name",
    "db.statement": "db.query.text",
    "http.method": "http.request.method",
    "http.url": "url.full",
    "http.status_code": "http.response.status_code",
}


def _site(line: int) -> dict[str, object]:
    return {
        "code.file.path": "/app/shop/views.py",
        "code.line.number": line,
        "code.function.name": "view",
    }


def _parameters(params: Sequence[object], *, each: bool) -> dict[str, object]:
    found: dict[str, object] = {"hotspan.db.param_hash": _hash(params)}
    if each and params:
        found["hotspan.db.param_hashes"] = [_hash(param) for param in params]
    return found


def _hash(value: object) -> str:
    return blake2b(json.dumps(value, default=str).encode(), digest_size=8).hexdigest()
