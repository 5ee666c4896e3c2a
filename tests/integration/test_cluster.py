"""A cluster of two real ClickHouse servers: the same migrations, the same findings."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from hotspan_collector.api.periods import parse_period
from hotspan_collector.api.trace import read_trace
from hotspan_collector.api.trace_search import TraceSearch, search_traces
from hotspan_collector.errors import BackupError, ConfigurationError, StoreUnavailableError
from hotspan_collector.ingest.validity import rejections
from hotspan_collector.rules.evaluator import Evaluator
from hotspan_collector.rules.pins import pin_evidence
from hotspan_collector.settings import Settings, load_settings
from hotspan_collector.sql import split_statements
from hotspan_collector.store import open_store
from hotspan_collector.store.backup import back_up
from hotspan_collector.store.cluster import ClusterTables
from hotspan_collector.store.port import SpanStore
from support import corpus
from support.clickhouse_server import CLUSTER, ClickhouseServer
from support.collector import Collector
from support.evaluations import (
    entries,
    findings,
    new_evaluator,
    shipped_catalogue,
    violations,
)
from support.otlp_requests import request, span
from support.processes import free_port
from support.shop_traces import new_trace_id


@pytest.fixture
def nodes(start_clickhouse: Callable[..., ClickhouseServer]) -> list[ClickhouseServer]:
    """Two servers, a shard each."""
    ports = [free_port(), free_port()]
    return [start_clickhouse(tcp_port=port, shard_ports=ports) for port in ports]


@pytest.fixture
def cluster(nodes: list[ClickhouseServer]) -> Iterator[SpanStore]:
    """A store on both."""
    dsns = tuple(node.create_database("hotspan") for node in nodes)
    store = open_store(Settings(store=dsns[0], cluster=CLUSTER, cluster_nodes=dsns))
    yield store
    store.close()


@pytest.fixture
def single(clickhouse_url: str) -> Iterator[SpanStore]:
    """A store on a server of its own."""
    store = open_store(Settings(store=clickhouse_url))
    yield store
    store.close()


def run_windows(evaluator: Evaluator, *, other: ClickhouseServer) -> None:
    """Run the rules over windows; again when the other server has died, as collectors do.

    ClickHouse's library aborts when a server resets a connection to it: where a real server logs
    the exception, nobody catches it.
    """
    for _ in range(4):
        try:
            evaluator.run_windows()
        except StoreUnavailableError:
            other.kill()
            other.start()
        else:
            return
    pytest.fail("The other server has died four times.")


@pytest.mark.slow
def test_a_cluster_finds_what_one_server_finds(
    cluster: SpanStore, single: SpanStore, nodes: list[ClickhouseServer]
):
    """Recorded requests, each sent twice: stored by trace, on both shards, and judged alike."""
    recorded = [each for name in corpus.scenarios() for each in corpus.scenario(name)]
    body = b"".join(each.SerializeToString() for each in recorded)
    spans = len(list(corpus.spans_of(recorded)))
    written = {
        store.insert_spans(body, token=secrets.token_hex())
        for store in (cluster, single)
        for _ in range(2)
    }
    for store in (cluster, single):
        evaluator = new_evaluator(store.private())
        evaluator.tick()
        run_windows(evaluator, other=nodes[1])

    shards = [
        int(node.query("SELECT uniqExact(trace_id, span_id) FROM hotspan.spans_local"))
        for node in nodes
    ]
    scattered = cluster.rows(
        "SELECT count() AS traces FROM (SELECT trace_id FROM spans GROUP BY trace_id "
        "HAVING uniqExact(_shard_num) > 1)"
    )
    assert written == {spans - rejections(body, single.span_bounds()).total()}
    assert min(shards) > 0
    assert sum(shards) == int(
        single.rows("SELECT uniqExact(trace_id, span_id) AS n FROM spans")[0]["n"]
    )
    assert scattered == [{"traces": 0}]
    assert len(entries(single)) > 20
    assert entries(cluster) == entries(single)
    assert findings(cluster) == findings(single)
    assert violations(cluster) == violations(single)


@pytest.mark.slow
def test_the_api_answers_on_a_cluster_as_on_one_server(cluster: SpanStore, single: SpanStore):
    """Searches, by attributes too, a trace, and one that is kept as evidence."""
    recorded = [each for name in corpus.scenarios() for each in corpus.scenario(name)]
    body = b"".join(each.SerializeToString() for each in recorded)
    answers = []
    for store in (cluster, single):
        store.insert_spans(body, token="a")
        new_evaluator(store.private()).tick()
        pin_evidence(store, before_ms=4_000_000_000_000, most_spans=1000)
        period = parse_period("1h", "")
        searches = [
            search_traces(store, TraceSearch(period=period, attributes=attributes, limit=100))
            for attributes in ((), [("http.request.method", "GET")], [("http.method", "GET")])
        ]
        traces = [
            json.loads(
                read_trace(store, shipped_catalogue(), trace_id=each.trace_id, max_spans=1000)
            )
            for each in searches[0].traces
        ]
        answers.append(([each.model_dump() for each in searches], traces))

    assert len(answers[0][1]) > 20
    assert answers[0] == answers[1]


@pytest.mark.slow
def test_a_collector_works_on_a_cluster(
    nodes: list[ClickhouseServer], tmp_path: Path, service: str
):
    """With the settings of docs/operations.md: it stores, evaluates and answers."""
    dsns = [node.create_database("hotspan") for node in nodes]
    collector = Collector(
        tmp_path,
        store=dsns[0],
        env={"HOTSPAN_CLUSTER": CLUSTER, "HOTSPAN_CLUSTER_NODES": json.dumps(dsns)},
    )
    collector.start()
    try:
        for number in range(8):
            served = span(
                f"GET /{number}",
                trace_id=new_trace_id(),
                span_id="01" * 8,
                start_ns=time.time_ns(),
                kind=2,
            )
            collector.send(request([served], service=service))
        collector.wait_for(lambda: len(collector.entries(service)) == 8, timeout_s=90)
        status = collector.api("status")
    finally:
        collector.stop()

    assert [duty["here"] for duty in status["duties"] if duty["name"] == "evaluate"] == [True]
    assert status["spans_stored"] == 8
    assert all(int(node.query("SELECT count() FROM hotspan.spans_local")) < 8 for node in nodes)


@pytest.mark.slow
def test_a_retry_is_stored_once(cluster: SpanStore):
    """The token of the first try holds on every shard."""
    body = b"".join(each.SerializeToString() for each in corpus.scenario(corpus.scenarios()[0]))
    written = [cluster.insert_spans(body, token="same") for _ in range(2)]

    stored = cluster.rows("SELECT count() AS spans FROM spans")
    assert written[0] == written[1]
    assert stored == [{"spans": written[0]}]


@pytest.mark.slow
def test_migrations_may_be_applied_again(
    cluster: SpanStore, nodes: list[ClickhouseServer], tmp_path
):
    """By a second collector, which keeps what is stored; a backup of one node is refused."""
    cluster.insert_spans(corpus.scenario(corpus.scenarios()[0])[0].SerializeToString(), token="a")
    dsns = tuple(node.url("hotspan") for node in nodes)
    before = cluster.rows("SELECT count() AS spans FROM spans")
    second = open_store(Settings(store=dsns[0], cluster=CLUSTER, cluster_nodes=dsns))

    after = second.rows("SELECT count() AS spans FROM spans")
    second.close()
    assert after == before
    with pytest.raises(BackupError, match="ON CLUSTER"):
        back_up(cluster, tmp_path, progress=lambda *_: None)


class _Parsing:
    """Lets a server parse statements, and run none."""

    def __init__(self, server: ClickhouseServer) -> None:
        self._server = server
        self.parsed: list[str] = []

    def execute(self, sql: str, parameters: object = None) -> None:
        self._server.query(f"EXPLAIN AST {sql}")
        self.parsed.append(sql)


def test_with_replicas_every_table_is_a_replicated_one(clickhouse_server: ClickhouseServer):
    """Their statements are parsed by a real server; none is run, which would need Keeper."""
    node = _Parsing(clickhouse_server)
    tables = ClusterTables([node], cluster=CLUSTER, replicated=True)
    migrations = files("hotspan_collector.store").joinpath("migrations")
    for migration in sorted(migrations.iterdir(), key=lambda each: each.name):
        for statement in split_statements(migration.read_text("utf-8")):
            tables.execute(statement)

    created = [sql for sql in node.parsed if "MergeTree" in sql and "CREATE" in sql]
    assert len(created) > 15
    assert [sql for sql in created if "ENGINE = Replicated" not in sql] == []
    (spans,) = [sql for sql in created if "TABLE IF NOT EXISTS spans_local\n" in sql]
    assert (
        "ENGINE = ReplicatedReplacingMergeTree("
        "'/clickhouse/tables/{database}/{shard}/spans_local', '{replica}')"
    ) in spans


@pytest.mark.parametrize(
    "given",
    [
        {"cluster": "hotspan"},
        {"cluster_nodes": ["http://a/b"]},
        {"cluster": "hotspan", "cluster_nodes": ["http://b/b"], "store": "http://a/b"},
    ],
)
def test_half_a_cluster_is_refused(given: dict):
    """The message has an example."""
    with pytest.raises(ConfigurationError, match="HOTSPAN_CLUSTER_NODES=") as refused:
        load_settings(**given)

    assert "the first of which is HOTSPAN_STORE" in str(refused.value)
