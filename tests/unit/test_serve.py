from hotspan_collector.evaluation import Evaluation
from hotspan_collector.health import EvaluatorHealth
from hotspan_collector.listening import host_and_port
from hotspan_collector.rules.rulebook import Rulebook
from hotspan_collector.settings import Settings


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


def test_an_address_of_ipv6_stands_in_brackets():
    """As URLs and gRPC want it."""
    written = [host_and_port(host, 4317) for host in ("127.0.0.1", "::1")]

    assert written == ["127.0.0.1:4317", "[::1]:4317"]
