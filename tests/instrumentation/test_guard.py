"""An error of ours ends in the guard."""

from hotspan_instrumentation import guard


def test_error_ends_in_the_guard(caplog):
    """A hook that fails returns nothing, is counted each time, and is logged once."""

    @guard.guarded
    def broken() -> int:
        raise IndexError("ours")

    answers = [broken(), broken()]

    (name,) = (name for name in guard.failures if name.endswith("broken"))
    assert answers == [None, None]
    assert guard.failures.pop(name) == 2
    assert [record.args for record in caplog.records] == [(name,)]
    assert "IndexError: ours" in caplog.text


def test_answer_passes():
    """A hook that works returns what it returns."""

    @guard.guarded
    def double(number: int) -> int:
        return 2 * number

    assert double(21) == 42
