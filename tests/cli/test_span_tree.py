"""The tree of a trace, also of traces that are no tree."""

from hypothesis import given
from hypothesis import strategies as st

from hotspan_collector.api.models import TraceSpan
from hotspan_collector.cli.span_tree import tree_lines


def a_span(span_id: str, parent: str | None = None, *, name: str = "", at: float = 0) -> TraceSpan:
    return TraceSpan(
        span_id=span_id,
        parent_span_id=parent,
        entry_span_id=None,
        name=name or span_id,
        service="shop",
        kind="internal",
        start_us=at,
        duration_us=10,
        status="unset",
        statement=None,
        statement_fingerprint=None,
        code=None,
    )


def drawn(*spans: TraceSpan, fold: bool = True) -> list[str]:
    return [
        f"{line.indent}{line.span.name}"
        + (f" x{line.times}" if line.times > 1 else "")
        + (" orphan" if line.orphan else "")
        for line in tree_lines(spans, fold=fold)
    ]


def test_children_stand_below_their_parent_by_start():
    """Order of arrival does not matter."""
    spans = (
        a_span("d", "b", at=3),
        a_span("c", "a", at=5),
        a_span("b", "a", at=2),
        a_span("a"),
    )

    assert drawn(*spans) == ["a", "├─ b", "│  └─ d", "└─ c"]


def test_leaves_that_are_alike_are_one_line():
    """Four in a row or more; those with children never."""
    leaves = [a_span(f"q{number}", "a", name="SELECT", at=number) for number in range(5)]
    other = a_span("o", "a", name="GET", at=9)
    busy = [a_span(f"b{number}", "a", name="work", at=20 + number) for number in range(4)]
    below = [a_span(f"c{number}", f"b{number}", name="inner", at=30) for number in range(4)]
    spans = [a_span("a"), *leaves, other, *busy, *below]

    folded, every = drawn(*spans), drawn(*spans, fold=False)

    assert folded[:3] == ["a", "├─ SELECT x5", "├─ GET"]
    assert len(folded) == 3 + 8
    assert len(every) == len(spans)


def test_a_missing_parent_is_told():
    """A span whose parent has not come stands at the top."""
    assert drawn(a_span("b", "gone"), a_span("a")) == ["b orphan", "a"]


def test_a_deep_trace_is_drawn():
    """Depth is bounded by memory, not by Python's stack."""
    spans = [a_span("0"), *(a_span(str(n), str(n - 1), at=n) for n in range(1, 5_000))]

    assert len(drawn(*spans)) == 5_000


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.none() | st.integers(0, 14)),
        unique_by=lambda pair: pair[0],
    ),
    st.booleans(),
)
def test_every_span_is_drawn_once(pairs, fold):
    """Whatever the parents are: circles, oneself, nobody."""
    spans = [
        a_span(str(own), None if parent is None else str(parent), name="x") for own, parent in pairs
    ]
    lines = tree_lines(spans, fold=fold)
    ids = [span_id for line in lines for span_id in line.span_ids]

    assert sorted(ids) == sorted(span.span_id for span in spans)
