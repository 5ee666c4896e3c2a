from hotspan_collector.ingest.committer import Committer
from hotspan_collector.listening import host_and_port
from hotspan_collector.rules.catalogue import load_catalogue
from hotspan_collector.serve import _Collector, _Evaluation
from hotspan_collector.settings import Settings


class _BrokenStore:
    """Fails as a mistake of ours would."""

    def rows(self, sql, parameters=None):
        raise TypeError("a mistake")

    execute = json_bytes = rows


def test_a_mistake_in_a_tick_is_noted_and_ends_nothing():
    """Spans go on being taken; `/readyz` says that none are judged."""
    store = _BrokenStore()
    committer = Committer(store, linger_s=0, max_bytes=1, queue_bytes=1, workers=1)
    collector = _Collector(Settings(), load_catalogue(), store, committer)
    _Evaluation(collector).run()

    assert (collector.health.last_error, collector.health.lag_s()) == ("a mistake", None)


def test_an_address_of_ipv6_stands_in_brackets():
    """As URLs and gRPC want it."""
    written = [host_and_port(host, 4317) for host in ("127.0.0.1", "::1")]

    assert written == ["127.0.0.1:4317", "[::1]:4317"]
