"""What the call site costs a span: `python tests/benchmarks/instrumentation_call_site.py`."""

import statistics
import sys
import timeit
from collections.abc import Callable
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, Tracer

from hotspan_instrumentation.call_site import CallSiteFinder
from hotspan_instrumentation.processors import CallSiteProcessor

if TYPE_CHECKING:
    from types import FrameType

_LIBRARY_FRAMES = 7  # what Django's ORM puts between a view and the driver's span
_CALLS = 20_000
_ROUNDS = 7


def below_library_frames(run: Callable[[], object], frames: int = _LIBRARY_FRAMES) -> object:
    """Run something below frames that look like an installed library's."""
    source = "def call(run, frames):\n    return call(run, frames - 1) if frames > 1 else run()\n"
    namespace: dict[str, Callable[[Callable[[], object], int], object]] = {}
    exec(compile(source, "/x/site-packages/orm/query.py", "exec"), namespace)
    return namespace["call"](run, frames)


def microseconds(run: Callable[[], object]) -> float:
    """Return the best of some rounds: the others measure the machine."""
    rounds = timeit.repeat(run, number=_CALLS, repeat=_ROUNDS)
    return min(rounds) / _CALLS * 1e6


def tracer(*, call_site: bool) -> Tracer:
    """Return a tracer whose spans go nowhere."""
    provider = TracerProvider()
    if call_site:
        provider.add_span_processor(CallSiteProcessor(CallSiteFinder()))
    return provider.get_tracer("benchmark")


def finding() -> float:
    """Measure the walk alone, with a warm cache."""
    finder = CallSiteFinder()
    costs: list[float] = []

    def measure() -> None:
        frame: FrameType = sys._getframe(1)
        costs.append(microseconds(lambda: finder.find(frame)))

    below_library_frames(measure)
    return statistics.fmean(costs)


def span(*, call_site: bool) -> float:
    """Measure a span from start to end."""
    source = tracer(call_site=call_site)
    costs: list[float] = []

    def one() -> None:
        source.start_span("SELECT", kind=SpanKind.CLIENT).end()

    below_library_frames(lambda: costs.append(microseconds(one)))
    return statistics.fmean(costs)


def main() -> None:
    """Print the costs."""
    plain, enriched = span(call_site=False), span(call_site=True)
    sys.stdout.write(
        f"find the call site       {finding():6.2f} us\n"
        f"a span without it        {plain:6.2f} us\n"
        f"a span with it           {enriched:6.2f} us  (+{enriched - plain:.2f})\n"
    )


if __name__ == "__main__":
    main()
