import pytest
from structlog.testing import capture_logs

from hotspan_collector.errors import StoreUnreachableError
from hotspan_collector.evaluation import Evaluation, pause_s
from hotspan_collector.health import EvaluatorHealth, EvaluatorReport
from hotspan_collector.listening import host_and_port
from hotspan_collector.rules.evaluator import TickReport
from hotspan_collector.rules.rulebook import Rulebook
from hotspan_collector.settings import Settings


@pytest.mark.parametrize(("took_s", "then_s"), [(0.1, 1), (2.5, 2.5), (60, 3)])
def test_after_a_long_tick_the_evaluator_rests_as_long(took_s, then_s):
    """It takes half of the time at most, and rests three times its interval at most."""
    assert pause_s(1, took_s=took_s) == then_s


class _BrokenStore:
    """Fails as a mistake of ours would."""

    def rows(self, sql, parameters=None):
        raise TypeError("a mistake")

    execute = json_bytes = rows


def test_a_mistake_in_a_tick_is_noted_and_ends_nothing():
    """Spans go on being taken; `/readyz` says that none are judged."""
    rulebook = Rulebook(values={}, disabled=(), folder=None)
    health = EvaluatorHealth()
    Evaluation(_BrokenStore(), rulebook=rulebook, settings=Settings(), health=health).run()

    assert (health.last_error, health.lag_s()) == ("a mistake", None)


class _StoreThatIsDown:
    """Cannot be reached."""

    def rows(self, sql, parameters=None):
        raise StoreUnreachableError("The store cannot be reached: connection refused")

    execute = json_bytes = rows


def test_a_store_that_is_down_is_told_in_one_line_a_minute():
    """It is tried each second, and may be down for hours."""
    rulebook = Rulebook(values={}, disabled=(), folder=None)
    health = EvaluatorHealth()
    evaluation = Evaluation(
        _StoreThatIsDown(), rulebook=rulebook, settings=Settings(), health=health
    )
    with capture_logs() as lines:
        for _ in range(3):
            evaluation.run()

    reason = "The store cannot be reached: connection refused"
    assert lines == [{"event": "tick_failed", "log_level": "error", "reason": reason}]
    assert health.last_error == reason


def test_traces_set_aside_are_told_with_the_reason_also_by_another_process():
    """The newest ones, since the start."""
    health = EvaluatorHealth()
    for number in range(30):
        health.note(TickReport(set_aside={f"{number:032x}": "too large\nfor the store"}))
    health.note(TickReport())

    told = health.report().traces_set_aside
    elsewhere = EvaluatorReport.from_note(health.report().to_note(), age_s=1).traces_set_aside

    assert told == elsewhere == {f"{number:032x}": "too large" for number in range(10, 30)}


def test_an_address_of_ipv6_stands_in_brackets():
    """As URLs and gRPC want it."""
    written = [host_and_port(host, 4317) for host in ("127.0.0.1", "::1")]

    assert written == ["127.0.0.1:4317", "[::1]:4317"]
