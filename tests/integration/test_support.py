import sys
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
import httpx
import psycopg
import pytest
import redis
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support.processes import Process, ProcessError, free_port

_SCHEMA = """
syntax = "proto3";
message Span { string name = 5; }
message ScopeSpans { repeated Span spans = 2; }
message ResourceSpans { repeated ScopeSpans scope_spans = 2; }
message Request { repeated ResourceSpans resource_spans = 1; }
"""
_INSERT = """
INSERT INTO spans (name)
SELECT arrayJoin(arrayFlatten(resource_spans.scope_spans.spans.name))
FROM input('resource_spans Nested(scope_spans Nested(spans Nested(name String)))')
FORMAT ProtobufSingle"""


def _connect(url: str):
    parts = urlsplit(url)
    return clickhouse_connect.get_client(
        host=parts.hostname, port=parts.port, database=parts.path.strip("/")
    )


def test_clickhouse_client_writes_and_reads(clickhouse_url):
    """clickhouse-connect talks to the server as to any other."""
    client = _connect(clickhouse_url)
    client.command("CREATE TABLE t (id UInt64, name String) ENGINE = MergeTree ORDER BY id")

    client.insert("t", [[1, "a"], [2, "b"]], column_names=["id", "name"])

    assert client.query("SELECT * FROM t ORDER BY id").result_rows == [(1, "a"), (2, "b")]
    client.close()


def test_clickhouse_database_is_fresh(clickhouse_url):
    """No test sees the tables of the one before."""
    client = _connect(clickhouse_url)

    assert client.query("SHOW TABLES").result_rows == []
    client.close()


def test_clickhouse_decodes_otlp(clickhouse_url):
    """The bytes of an OTLP request can be inserted as they are, and the count is exact."""
    client = _connect(clickhouse_url)
    client.command("CREATE TABLE spans (name String) ENGINE = MergeTree ORDER BY name")
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    scope.spans.add(name="one")
    scope.spans.add(name="two")
    parts = urlsplit(clickhouse_url)

    answer = httpx.post(
        f"http://{parts.netloc}/",
        params={
            "database": parts.path.strip("/"),
            "query": _INSERT,
            "format_schema_source": "string",
            "format_schema": _SCHEMA,
            "format_schema_message_name": "Request",
        },
        content=request.SerializeToString(),
        trust_env=False,
    )

    assert answer.status_code == 200, answer.text
    assert '"written_rows":"2"' in answer.headers["X-ClickHouse-Summary"]
    assert client.query("SELECT * FROM spans ORDER BY name").result_rows == [("one",), ("two",)]
    client.close()


def test_clickhouse_keeps_its_data(start_clickhouse):
    """A server that was killed comes back on the same port with what it had acknowledged."""
    server = start_clickhouse()
    server.create_database("kept")
    server.query("CREATE TABLE kept.t (id UInt64) ENGINE = MergeTree ORDER BY id")
    server.query("INSERT INTO kept.t VALUES (7)")
    address = server.url("kept")

    server.kill()
    with pytest.raises(httpx.ConnectError):
        server.query("SELECT 1")
    server.start()

    assert address == server.url("kept")
    assert server.query("SELECT id FROM kept.t") == "7\n"


def test_clickhouse_cluster(start_clickhouse):
    """Two servers form a cluster: a Distributed table reads the rows of both."""
    ports = [free_port(), free_port()]
    shards = [start_clickhouse(tcp_port=port, shard_ports=ports) for port in ports]
    for number, shard in enumerate(shards):
        shard.create_database("d")
        shard.query("CREATE TABLE d.t (id UInt64) ENGINE = MergeTree ORDER BY id")
        shard.query(f"INSERT INTO d.t VALUES ({number})")
        shard.query("CREATE TABLE d.all AS d.t ENGINE = Distributed('hotspan', 'd', 't')")

    answers = [shard.query("SELECT id FROM d.all ORDER BY id") for shard in shards]

    assert answers == ["0\n1\n", "0\n1\n"]


def test_redis(redis_url):
    """Redis keeps what it is given, and starts each test empty."""
    with redis.Redis.from_url(redis_url) as client:
        before = client.keys()
        client.set("key", "value")

        assert before == []
        assert client.get("key") == b"value"


def test_postgres(postgres_url):
    """PostgreSQL keeps what it is given, in an empty database a test."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE t (id int)")
        connection.execute("INSERT INTO t VALUES (3)")

        assert connection.execute("SELECT id FROM t").fetchall() == [(3,)]


def test_process_that_dies_says_why(tmp_path: Path):
    """Waiting for a command that ends raises at once, with its last lines and exit status."""
    process = Process(
        [sys.executable, "-c", "import sys; print('the reason'); sys.exit(3)"],
        log_path=tmp_path / "log",
    )
    process.start()

    with pytest.raises(ProcessError, match=r"ended with 3(.|\n)*the reason"):
        process.wait_for_line("never printed")


def test_process_ends_with_its_children(tmp_path: Path):
    """Ending a command ends what it started, even when that does not listen to signals."""
    port = free_port()
    server = f"trap '' TERM; {sys.executable} -m http.server --bind 127.0.0.1 {port} & wait"
    with Process(["bash", "-c", server], log_path=tmp_path / "log") as process:
        process.wait_for_port(port)
        process.kill()

    assert not process.is_running
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
