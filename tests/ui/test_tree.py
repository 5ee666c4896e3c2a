"""The order and the folding of spans."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspan_ui.models import TraceSpan
from hotspan_ui.views import critical_path, tree


def make(span_id: str, parent: str | None = None, *, start=0.0, duration=1.0, name="span"):
    return TraceSpan(
        span_id=span_id,
        parent_span_id=parent,
        name=name,
        service="shop",
        start_us=start,
        duration_us=duration,
    )


IDS = st.sampled_from([f"{number:x}" for number in range(24)])
SPANS = st.lists(
    st.builds(
        make,
        IDS,
        st.one_of(st.none(), IDS, st.just("missing")),
        start=st.integers(0, 50).map(float),
        duration=st.integers(0, 50).map(float),
        name=st.sampled_from(["a", "b"]),
    ),
    unique_by=lambda span: span.span_id,
    max_size=24,
)


@given(SPANS)
def test_every_span_once(spans):
    """Every span has exactly one row, whatever its parents are: missing, itself, a cycle."""
    rows = tree.rows(spans)

    assert sorted(span.span_id for span in spans) == sorted(
        row.span.span_id for row in rows if not row.members
    )


@given(SPANS)
def test_parents_first(spans):
    """A row stands below its parent's, one level deeper."""
    rows = tree.rows(spans)

    for index, row in enumerate(rows):
        assert row.parent < index
        assert row.depth == (rows[row.parent].depth + 1 if row.parent >= 0 else 0)


@given(SPANS, st.integers(2, 6))
def test_folds_hold_alike(spans, fold_from):
    """A fold has as many children as it says, all alike, and never less than asked for."""
    rows = tree.rows(spans, fold_from=fold_from)

    for index, row in enumerate(rows):
        if not row.members:
            continue
        below = [each for each in rows if each.parent == index]
        assert row.members == len(below) >= fold_from
        assert {row.span.name} == {each.span.name for each in below}


@given(SPANS)
def test_true_parents(spans):
    """A span that is not at the top stands below its own parent, directly or in a fold."""
    rows = tree.rows(spans)

    for row in rows:
        parent = row.parent
        if parent >= 0 and rows[parent].members:
            parent = rows[parent].parent
        if parent >= 0:
            assert rows[parent].span.span_id == row.span.parent_span_id


@given(SPANS)
def test_critical_path_is_one_line(spans):
    """The critical path never overlaps itself, and fills the longest span at the top."""
    rows = tree.rows(spans)
    path = critical_path.segments(rows)

    for before, after in itertools.pairwise(path):
        assert before.end_us <= after.start_us
    tops = [row.span for row in rows if row.parent < 0 and not row.members]
    tops += [
        row.span for row in rows if row.parent >= 0 and rows[row.parent].members and row.depth == 1
    ]
    longest = max((span.duration_us for span in tops), default=0.0)
    assert sum(each.end_us - each.start_us for each in path) == pytest.approx(longest)


def test_equal_siblings_fold_around_others():
    """Equal siblings fold at the place of the first, though others stand between them."""
    spans = [make("r", duration=100.0)]
    for number in range(6):
        spans.append(make(f"q{number}", "r", start=number * 10.0, name="SELECT"))
        spans.append(make(f"o{number}", "r", start=number * 10.0 + 5, name=f"other {number}"))

    rows = tree.rows(spans)

    assert [(row.span.name, row.depth, row.members) for row in rows[:3]] == [
        ("span", 0, 0),
        ("SELECT", 1, 6),
        ("SELECT", 2, 0),
    ]
    assert [f"other {number}" for number in range(6)] == [row.span.name for row in rows[8:]]


def test_four_do_not_fold():
    """Four equal siblings stay as they are."""
    spans = [make("r"), *(make(f"q{number}", "r") for number in range(4))]

    rows = tree.rows(spans)

    assert [row.members for row in rows] == [0, 0, 0, 0, 0]


def test_deep_chain():
    """A chain of 20,000 spans is no problem: nothing recurses."""
    spans = [make(str(number), str(number - 1) if number else None) for number in range(20_000)]

    rows = tree.rows(spans)

    assert rows[-1].depth == 19_999
    assert critical_path.segments(rows)


def test_cycle_of_many():
    """A cycle of 20,000 spans is cut at its first span."""
    spans = [make(str(number), str((number + 1) % 20_000)) for number in range(20_000)]

    rows = tree.rows(spans)

    assert sum(row.parent < 0 for row in rows) == 1
    assert rows[0].orphan


def test_critical_path_leaves_out_what_nobody_waited_for():
    """Of two calls at once, the later end counts; before it starts, the parent does."""
    spans = [
        make("r", duration=100.0),
        make("short", "r", start=10.0, duration=20.0, name="short"),
        make("long", "r", start=10.0, duration=80.0, name="long"),
    ]

    rows = tree.rows(spans)

    assert [
        (rows[each.row].span.name, each.start_us, each.end_us)
        for each in critical_path.segments(rows)
    ] == [("span", 0.0, 10.0), ("long", 10.0, 90.0), ("span", 90.0, 100.0)]
