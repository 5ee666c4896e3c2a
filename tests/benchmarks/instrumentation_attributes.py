"""What attributes cost a statement's span: `python tests/benchmarks/instrumentation_attributes.py`.

The numbers in docs/instrumentation.md are these, rounded.
"""

import sys
import timeit
from collections.abc import Callable
from itertools import count
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind

from hotspan_instrumentation.attribute_group import AttributeGroup
from hotspan_instrumentation.call_site import CallSiteFinder
from hotspan_instrumentation.call_stack import format_stack
from hotspan_instrumentation.entry import Entry
from hotspan_instrumentation.error_texts import mask_error
from hotspan_instrumentation.keyed_hash import hash_of_key, hash_of_values, hashes_of_values
from hotspan_instrumentation.sql_literals import mask_literals
from hotspan_instrumentation.statement_attributes import Statement
from hotspan_instrumentation.statement_facts import StatementFacts

_CALLS = 20_000
_ROUNDS = 7
_LIBRARY_FRAMES = 7
_SQL = 'SELECT "o"."id", "o"."name" FROM "shop_order" o WHERE "o"."id" = %s LIMIT 21'


def microseconds(run: Callable[[], object]) -> float:
    """Return the best of some rounds: the others measure the machine."""
    return min(timeit.repeat(run, number=_CALLS, repeat=_ROUNDS)) / _CALLS * 1e6


# Frames that look like an installed library's, as Django's ORM puts them above the application's.
_LIBRARY: dict[str, Any] = {}
exec(
    compile(
        """
def call(run, left, *args):
    return call(run, left - 1, *args) if left > 1 else run(*args)

def find(find_again, times, remembers):
    known = None
    for _ in range(times):
        _, found = find_again(known)
        known = found if remembers else None
""",
        "/x/site-packages/orm/query.py",
        "exec",
    ),
    _LIBRARY,
)


def microseconds_of_site(*, remembers: bool) -> float:
    """Return the best of some rounds of looking for a call site from below library frames."""
    finder = CallSiteFinder()

    def find() -> None:
        arguments = (finder.find_again, _CALLS, remembers)
        _LIBRARY["call"](_LIBRARY["find"], _LIBRARY_FRAMES, *arguments)

    return min(timeit.repeat(find, number=1, repeat=_ROUNDS)) / _CALLS * 1e6


def main() -> None:
    """Print a line for each group."""
    numbers = count()
    entry = Entry(span_id=1, kind=SpanKind.SERVER)
    frame = _LIBRARY["call"](sys._getframe, _LIBRARY_FRAMES)
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("benchmark")
    statement = Statement("SELECT", _SQL, (), AttributeGroup({}))

    def note() -> None:
        facts = StatementFacts(statement)
        facts.note_parameters((_SQL, (7,)), {}, many=False)

    groups = {
        "what is noted of a statement": note,
        "param_hash, seen before": lambda: hash_of_values((7,)),
        "param_hash, new": lambda: hash_of_values((next(numbers),)),
        "param_hashes of two, seen before": lambda: hashes_of_values((7, 8)),
        "keys of a relation, seen before": lambda: hash_of_key("shop.Order", 7),
        "counters of an entry": lambda: (
            entry.count_query(_SQL),
            entry.add_result(1_000_000, 1),
        ),
        "masking a statement, the first time": lambda: mask_literals(
            _SQL, database_system="sqlite"
        ),
        "masking an error": lambda: mask_error('relation "x" does not exist'),
        "stack of the fifth": lambda: format_stack(frame),
        "a span of the SDK's": lambda: tracer.start_span("connect").end(),
    }
    numbers_us = {name: microseconds(run) for name, run in groups.items()}
    numbers_us |= {
        "call site, at a new place": microseconds_of_site(remembers=False),
        "call site, at a known place": microseconds_of_site(remembers=True),
    }
    for name, number_us in numbers_us.items():
        sys.stdout.write(f"{name:<40} {number_us:6.2f} us\n")


if __name__ == "__main__":
    main()
