"""Records the corpus anew: `python tests/corpus/record.py [RECORDING…]`.

Starts the program (tests/corpus/program) under hotspan's and under OpenTelemetry's own
instrumentation, on each database, server and pool, asks it for each scenario that labels.toml
names, and keeps what arrives. The id of a scenario's trace follows from its name.
"""

import gzip
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from google.protobuf.message import Message

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE), str(HERE.parents[1] / "deploy" / "demo")]

from outside import outside  # noqa: E402 - found by the path above

from hotspan_demo import stub  # noqa: E402 - likewise
from support.demo_shop import SHOP  # noqa: E402 - likewise
from support.labels import Recording, Scenario, recordings, scenarios, trace_id_of  # noqa: E402
from support.mysql_server import MysqlServer  # noqa: E402
from support.otlp_sink import OtlpSink  # noqa: E402
from support.postgres_server import PostgresServer  # noqa: E402
from support.processes import Process, free_port  # noqa: E402
from support.redis_server import RedisServer  # noqa: E402

PROGRAM = HERE / "program"
BIN = Path(sys.executable).parent
INSTRUMENTATIONS = {
    "enriched": {"HOTSPAN_HASH_KEY": "the key of the corpus", "PYTHONPATH": str(PROGRAM)},
    "stock": {
        "PYTHONPATH": os.pathsep.join((str(PROGRAM), str(HERE / "stock_distro"))),
        "OTEL_PYTHON_DISTRO": "stock",
        "OTEL_PYTHON_CONFIGURATOR": "stock",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "hotspan",
        "OTEL_TRACES_EXPORTER": "otlp_proto_http",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        # Celery's children end without sending what is queued; this is about what they send.
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    },
}
CONVENTIONS = {"old": "", "stable": "http,database"}
# How long after the last spans of a task nothing more is expected.
QUIET_S = 1.5


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a program needs besides itself."""

    redis_url: str
    outside_url: str
    demo_outside_url: str
    databases: Mapping[str, str]


@contextmanager
def surroundings(folder: Path) -> Iterator[Surroundings]:
    """Start a broker, the databases, and what the program calls."""
    redis, postgres, mysql = RedisServer(folder), PostgresServer(), MysqlServer()
    with ExitStack() as ends:
        for server, end in (
            (redis, redis.stop),
            (postgres, postgres.remove),
            (mysql, mysql.remove),
        ):
            ends.callback(end)
            server.start()
        outside_url = ends.enter_context(outside())
        demo_outside_url = ends.enter_context(demo_outside())
        databases = {
            "sqlite": f"sqlite://{folder / 'shop.sqlite3'}",
            "postgresql": postgres.create_database("corpus"),
            "mysql": mysql.create_database("corpus"),
        }
        yield Surroundings(redis.url, outside_url, demo_outside_url, databases)


@contextmanager
def demo_outside() -> Iterator[str]:
    """Serve what the demo's shop calls."""
    server = stub.server(port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def record(recording: Recording, around: Surroundings, folder: Path) -> None:
    """Ask for each scenario of a recording, and write what arrives."""
    with OtlpSink() as sink, ExitStack() as ends:
        env = environment(recording, around, sink, folder)
        if recording.release:
            prepare = [sys.executable, "-m", "django", "prepare"]
            subprocess.run(prepare, env={**os.environ, **env}, check=True, stdout=sys.stderr)
        url = start_web(recording, env, folder, ends)
        if recording.pool:
            start_worker(recording, env, folder, ends)
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
            sink.requests.clear()
            for scenario in scenarios():
                if scenario.is_in(recording):
                    ask(client, recording, scenario)
            wait_until_quiet(sink)
    write(recording, sink)


def environment(
    recording: Recording, around: Surroundings, sink: OtlpSink, folder: Path
) -> dict[str, str]:
    """Return the variables of the program's processes."""
    instrumentation = INSTRUMENTATIONS[recording.instrumentation]
    if recording.release:
        paths = os.pathsep.join((str(SHOP.parent), instrumentation["PYTHONPATH"]))
        instrumentation = {**instrumentation, "PYTHONPATH": paths}
        own = {
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "SHOP_RELEASE": recording.release,
            "SHOP_DATA_DIR": str(folder / recording.name),
            "SHOP_STUB_URL": around.demo_outside_url,
        }
    else:
        own = {
            "DJANGO_SETTINGS_MODULE": "corpus_shop.settings",
            "CORPUS_DATABASE_URL": around.databases[recording.database],
            "CORPUS_REDIS_URL": around.redis_url,
            "CORPUS_OUTSIDE_URL": around.outside_url,
        }
    return {
        **own,
        "PYTHONDONTWRITEBYTECODE": "1",
        "C_FORCE_ROOT": "1",
        "OTEL_SERVICE_NAME": "corpus",
        "OTEL_RESOURCE_ATTRIBUTES": "service.version=1,deployment.environment.name=test",
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_SEMCONV_STABILITY_OPT_IN": CONVENTIONS[recording.conventions],
        **instrumentation,
    }


def start_web(recording: Recording, env: Mapping[str, str], folder: Path, ends: ExitStack) -> str:
    """Start the server, and return its URL."""
    port = free_port()
    if recording.server == "uvicorn":
        command = ["uvicorn", "corpus_shop.asgi:application", "--port", str(port)]
    else:
        threads = ["--threads", "4"] if recording.server == "gthread" else []
        bind = ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--no-control-socket"]
        package = "shop" if recording.release else "corpus_shop"
        command = ["gunicorn", f"{package}.wsgi", *bind, *threads]
    process = started(command, env, folder / f"{recording.name}-web.log", ends)
    process.wait_for_url(f"http://127.0.0.1:{port}/health/")
    return f"http://127.0.0.1:{port}"


def start_worker(
    recording: Recording, env: Mapping[str, str], folder: Path, ends: ExitStack
) -> None:
    """Start a worker, and wait until it takes tasks."""
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"]
    # One at a time: they must not wait for each other's locks.
    pool = ["--pool", recording.pool, "--concurrency", "1"]
    command = ["celery", "--app", "corpus_shop", "worker", *pool, *quiet]
    process = started(command, env, folder / f"{recording.name}-worker.log", ends)
    process.wait_for_line(r"celery@\S+ ready")


def started(command: list[str], env: Mapping[str, str], log: Path, ends: ExitStack) -> Process:
    """Start an instrumented process, which ends with the recording."""
    program, *arguments = command
    process = Process(
        [BIN / "opentelemetry-instrument", BIN / program, *arguments],
        log_path=log,
        env=dict(env),
        cwd=PROGRAM,
    )
    ends.callback(process.terminate)
    process.start()
    return process


def ask(client: httpx.Client, recording: Recording, scenario: Scenario) -> None:
    """Ask for a page, or have a task published, in the trace of the scenario."""
    trace_id = trace_id_of(recording.name, scenario.name)
    headers = {
        "traceparent": f"00-{trace_id}-00f067aa0ba902b7-01",
        "Accept-Encoding": "gzip" if scenario.name.endswith("_compressed") else "identity",
    }
    if scenario.path:
        content = json.dumps(scenario.body) if scenario.body else None
        headers = {**headers, **scenario.headers}
        client.request(scenario.method, scenario.path, content=content, headers=headers)
    elif recording.pool:
        body = {"task": scenario.name, "options": scenario.options}
        client.post("/publish/", content=json.dumps(body), headers=headers).raise_for_status()
    else:
        client.get(f"/{scenario.name}/", headers=headers)


def wait_until_quiet(sink: OtlpSink) -> None:
    """Wait until nothing has arrived for a while: retries, limits and exporters take their time."""
    arrived, since = -1, time.monotonic()
    while time.monotonic() - since < QUIET_S + 6:
        if len(sink.requests) != arrived:
            arrived, since = len(sink.requests), time.monotonic()
        time.sleep(0.1)


def without_this_machine(message: Message) -> None:
    """Replace, in all texts of a message, where and on what it was recorded."""
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for each in value if field.is_repeated else [value]:
                without_this_machine(each)
        elif field.type == field.TYPE_STRING and not field.is_repeated:
            setattr(message, field.name, _elsewhere(value))


def _elsewhere(text: str) -> str:
    for here, elsewhere in (
        (str(HERE.parents[1]), "/srv/shop"),
        (sys.base_prefix, "/usr"),
        (socket.gethostname(), "corpus"),
    ):
        text = re.sub(rf"(?<!\w){re.escape(here)}(?!\w)", elsewhere, text)
    return text


def write(recording: Recording, sink: OtlpSink) -> None:
    """Keep what has arrived; serialized requests can be joined."""
    for request in sink.requests:
        without_this_machine(request)
    body = b"".join(request.SerializeToString() for request in sink.requests)
    with (
        recording.path.open("wb") as file,
        gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed,
    ):
        packed.write(body)
    sys.stdout.write(f"{recording.name}: {len(sink.spans())} spans, {len(body)} bytes\n")


def main() -> None:
    """Record what is named, or all."""
    wanted = set(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="hotspan-corpus-") as name:
        folder = Path(name)
        with surroundings(folder) as around:
            for url in around.databases.values():
                fill = [sys.executable, "-m", "corpus_shop.prepare"]
                env = {
                    **os.environ,
                    "PYTHONPATH": str(PROGRAM),
                    "CORPUS_DATABASE_URL": url,
                    "CORPUS_REDIS_URL": around.redis_url,
                    "CORPUS_OUTSIDE_URL": around.outside_url,
                }
                subprocess.run(fill, env=env, check=True, cwd=PROGRAM)
            for recording in recordings():
                if not wanted or recording.name in wanted:
                    record(recording, around, folder)


if __name__ == "__main__":
    main()
