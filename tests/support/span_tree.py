"""Received spans as text: what a test compares, with ids, times and folders left out."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePath

from opentelemetry.proto.trace.v1.trace_pb2 import Span

_KINDS = {
    Span.SPAN_KIND_INTERNAL: "internal",
    Span.SPAN_KIND_SERVER: "server",
    Span.SPAN_KIND_CLIENT: "client",
    Span.SPAN_KIND_PRODUCER: "producer",
    Span.SPAN_KIND_CONSUMER: "consumer",
}


def attribute(span: Span, name: str) -> str | int | None:
    """Return a text or integer attribute."""
    for item in span.attributes:
        if item.key == name:
            return item.value.int_value or item.value.string_value
    return None


def call_site(span: Span, *, root: PurePath) -> str | None:
    """Return the line that made a call as `file:line function`, below a folder."""
    path = attribute(span, "code.file.path")
    if path is None:
        return None
    line, function = attribute(span, "code.line.number"), attribute(span, "code.function.name")
    return f"{PurePath(str(path)).relative_to(root)}:{line} {function}"


def by_trace(spans: Iterable[Span]) -> list[list[Span]]:
    """Return the spans of each trace."""
    traces: dict[bytes, list[Span]] = defaultdict(list)
    for span in spans:
        traces[span.trace_id].append(span)
    return list(traces.values())


def span_tree(spans: Iterable[Span], *, root: PurePath) -> str:
    """Draw one line a span: kind, name, call site; children indented, in order of their start."""
    children: dict[bytes, list[Span]] = defaultdict(list)
    known = list(spans)
    ids = {span.span_id for span in known}
    for span in sorted(known, key=lambda span: span.start_time_unix_nano):
        parent = span.parent_span_id
        children[parent if parent in ids else b""].append(span)
    return "\n".join(_lines(children, b"", depth=0, root=root))


def _lines(
    children: dict[bytes, list[Span]], parent: bytes, *, depth: int, root: PurePath
) -> Iterable[str]:
    for span in children[parent]:
        site = call_site(span, root=root)
        orphan = "orphan " if depth == 0 and span.parent_span_id else ""
        text = f"{orphan}{_KINDS[span.kind]} {span.name}" + (f" @ {site}" if site else "")
        yield "  " * depth + text
        yield from _lines(children, span.span_id, depth=depth + 1, root=root)


def folded_tree(spans: Iterable[Span]) -> str:
    """Draw like spans of one parent as one line with their number, and functions without lines.

    The order is that of the first of each. What is below them is drawn together, too.
    """
    known = list(spans)
    ids = {span.span_id for span in known}
    children: dict[bytes, list[Span]] = defaultdict(list)
    for span in sorted(known, key=lambda span: span.start_time_unix_nano):
        children[span.parent_span_id if span.parent_span_id in ids else b""].append(span)
    return "\n".join(_folded(children, [b""], depth=0))


def _folded(
    children: dict[bytes, list[Span]], parents: list[bytes], *, depth: int
) -> Iterable[str]:
    alike: dict[str, list[Span]] = defaultdict(list)
    for parent in parents:
        for span in children[parent]:
            function = attribute(span, "code.function.name")
            outcome = attribute(span, "hotspan.task.outcome")
            text = f"{_KINDS[span.kind]} {span.name}"
            text += f" = {outcome}" if outcome else ""
            alike[text + (f" @ {function}" if function else "")].append(span)
    for text, spans in alike.items():
        yield "  " * depth + text + (f" x {len(spans)}" if len(spans) > 1 else "")
        yield from _folded(children, [span.span_id for span in spans], depth=depth + 1)
