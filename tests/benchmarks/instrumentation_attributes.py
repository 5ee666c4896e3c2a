"""What attributes cost a statement's span: `python tests/benchmarks/instrumentation_attributes.py`.

The numbers in docs/instrumentation.md are these, rounded.
"""

import sys
import timeit
from collections.abc import Callable
from itertools import count
from types import FrameType
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind

from hotspan_instrumentation.call_site import CallSiteFinder
from hotspan_instrumentation.call_stack import format_stack
from hotspan_instrumentation.entry import Entry
from hotspan_instrumentation.error_texts import mask_error
from hotspan_instrumentation.keyed_hash import hash_of_key, hash_of_values, hashes_of_values
from hotspan_instrumentation.processors import CallSiteProcessor
from hotspan_instrumentation.sql_literals import mask_literals

_CALLS = 20_000
_ROUNDS = 7
_LIBRARY_FRAMES = 7
_SQL = 'SELECT "o"."id", "o"."name" FROM "shop_order" o WHERE "o"."id" = %s LIMIT 21'


def microseconds(run: Callable[[], object]) -> float:
    """Return the best of some rounds: the others measure the machine."""
    return min(timeit.repeat(run, number=_CALLS, repeat=_ROUNDS)) / _CALLS * 1e6


def below_library_frames(run: Callable[[FrameType], object]) -> None:
    """Call something below frames that look like an installed library's, as Django's ORM puts."""
    source = (
        "def call(run, left):\n    return call(run, left - 1) if left > 1 else run(getframe(0))\n"
    )
    namespace: dict[str, Any] = {"getframe": sys._getframe}
    exec(compile(source, "/x/site-packages/orm/query.py", "exec"), namespace)
    namespace["call"](run, _LIBRARY_FRAMES)


def main() -> None:
    """Print a line for each group."""
    numbers = count()
    entry = Entry(span_id=1, kind=SpanKind.SERVER)
    sites = CallSiteProcessor(CallSiteFinder())
    frames: list[FrameType] = []
    below_library_frames(frames.append)
    (frame,) = frames
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("benchmark")
    groups = {
        "call site": lambda: sites.add_to({}, frame),
        "param_hash, seen before": lambda: hash_of_values((7,)),
        "param_hash, new": lambda: hash_of_values((next(numbers),)),
        "param_hashes of two, seen before": lambda: hashes_of_values((7, 8)),
        "keys of a relation, seen before": lambda: hash_of_key("shop.Order", 7),
        "counters of an entry": lambda: (
            entry.count_query(_SQL),
            entry.add_result(time_ms=1.0, rows=1),
        ),
        "masking a statement, the first time": lambda: mask_literals(
            _SQL, database_system="sqlite"
        ),
        "masking an error": lambda: mask_error('relation "x" does not exist'),
        "stack of the fifth": lambda: format_stack(frame),
        "a span of the SDK's": lambda: tracer.start_span("connect").end(),
    }
    for name, run in groups.items():
        sys.stdout.write(f"{name:<40} {microseconds(run):6.2f} us\n")


if __name__ == "__main__":
    main()
