"""Runs a collector: receivers, commits, evaluator, alerts and API in one process."""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from hotspan_collector import __version__
from hotspan_collector.alerts.outbox import count_alerts
from hotspan_collector.alerts.sender import Sender
from hotspan_collector.api.app import create_app
from hotspan_collector.api.health import why_not_ready
from hotspan_collector.api.models import Status
from hotspan_collector.errors import HotspanError
from hotspan_collector.evaluation import Evaluation
from hotspan_collector.health import EvaluatorHealth
from hotspan_collector.heartbeat import beat
from hotspan_collector.ingest.pipeline import build_pipeline
from hotspan_collector.listening import (
    HttpServer,
    Tls,
    allow_many_connections,
    bind,
    host_and_port,
)
from hotspan_collector.metrics import Metrics
from hotspan_collector.receiver.grpc_server import start_grpc_server
from hotspan_collector.receiver.http_app import create_otlp_app
from hotspan_collector.rules.rulebook import Rulebook
from hotspan_collector.sql import load_blocks
from hotspan_collector.store import open_or_await_store

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from hotspan_collector.ingest.pipeline import Pipeline
    from hotspan_collector.settings import Settings
    from hotspan_collector.store.port import SpanStore

__all__ = ["serve"]

_LOG = structlog.get_logger(__name__)
_SQL = load_blocks(__package__ or "", "serve.sql")
_VISIBILITY_SLACK_MS = 1_000


@dataclass(slots=True)
class _Collector:
    settings: Settings
    rulebook: Rulebook
    store: SpanStore
    pipeline: Pipeline
    health: EvaluatorHealth = field(default_factory=EvaluatorHealth)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    evaluation: Evaluation = field(init=False)

    def __post_init__(self) -> None:
        self.evaluation = Evaluation(
            self.store, rulebook=self.rulebook, settings=self.settings, health=self.health
        )

    def status(self) -> Status:
        return Status(
            version=__version__,
            store=self.store.describe(),
            spans_stored=int(self.store.rows(_SQL["count_spans"])[0]["spans"]),
            spans_rejected=self.pipeline.ledger.total().rejected.total(),
            evaluator_lag_s=self.health.lag_s(),
            evaluator_pending_entries=self.health.pending_traces,
            last_evaluated_entry=self.health.newest_entry,
            failing_rules=dict(self.health.rule_failures()),
            alerts_pending=self._alerts_pending(),
        )

    def what_is_wrong(self) -> str | None:
        """Say why spans are not stored or not judged, or nothing."""
        max_lag_s = self.settings.ready_max_lag_s
        if not self.pipeline.writer.is_store_up:
            return "The store takes no spans."
        if self.pipeline.committer.oldest_wait_s() > max_lag_s:
            return f"Spans have waited for their commit for more than {max_lag_s:.0f} s."
        found = why_not_ready(self.store, self.status, max_lag_s=max_lag_s)
        return found[1] if found else None

    def _alerts_pending(self) -> int:
        return count_alerts(self.store).pending if self.settings.alert_webhook_url else 0


async def serve(settings: Settings, *, started: Callable[[str], None]) -> None:
    """Run a collector until SIGTERM or SIGINT; then commit what has been taken, and return.

    Args:
        settings: of the collector.
        started: told, once, in words, where it listens.

    Raises:
        HotspanError: it cannot start; the message says why and what to do.

    """
    allow_many_connections()
    rulebook = Rulebook(
        values=settings.rules, disabled=settings.rules_disabled, folder=settings.rules_dir
    )
    http = bind(settings.host, settings.http_port, what="OTLP/HTTP", option="--http-port")
    api = bind(settings.host, settings.api_port, what="The API", option="--api-port")
    # gRPC binds by itself, and says less when it cannot.
    bind(settings.host, settings.grpc_port, what="OTLP/gRPC", option="--grpc-port").close()
    store = await asyncio.to_thread(open_or_await_store, settings)
    try:
        pipeline = build_pipeline(store, settings)
    except HotspanError:
        await asyncio.to_thread(store.close)
        raise
    collector = _Collector(settings, rulebook, store, pipeline)
    _stop_on_signals(collector.stopping)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, rulebook.read_again)
    try:
        grpc_server, grpc_port = await start_grpc_server(settings=settings, intake=pipeline.intake)
        otlp_server = _otlp_server(collector, http)
        api_server = _api_server(collector, api)
        async with asyncio.TaskGroup() as group:
            group.create_task(pipeline.committer.run())
            group.create_task(_evaluate(collector))
            group.create_task(_send_alerts(collector))
            group.create_task(_beat(collector))
            group.create_task(otlp_server.run_until_stopped())
            group.create_task(api_server.run_until_stopped())
            started(
                f"OTLP/gRPC {host_and_port(settings.host, grpc_port)}  "
                f"OTLP/HTTP http://{host_and_port(settings.host, otlp_server.port)}  "
                f"API http://{host_and_port(settings.host, api_server.port)}  "
                f"store {store.describe()}"
            )
            await collector.stopping.wait()
            # Receivers first, so that nothing is taken that would not be committed.
            otlp_server.should_exit = True
            await grpc_server.stop(grace=settings.drain_s)
            await pipeline.committer.drain()
            api_server.should_exit = True
    finally:
        pipeline.close()
        await asyncio.to_thread(store.close)


def _otlp_server(collector: _Collector, door: socket.socket) -> HttpServer:
    settings = collector.settings
    return HttpServer(
        create_otlp_app(settings=settings, intake=collector.pipeline.intake),
        door,
        drain_s=settings.drain_s,
        max_connections=settings.max_connections,
        receive_timeout_s=settings.receive_timeout_s,
        tls=_tls(settings),
    )


def _api_server(collector: _Collector, door: socket.socket) -> HttpServer:
    settings = collector.settings
    app = create_app(
        database=collector.store,
        catalogue=collector.rulebook.catalogue,
        status=collector.status,
        settings=settings,
        pipeline=collector.pipeline,
        metrics=Metrics(collector.pipeline, collector.health).render,
        trials=collector.evaluation.trials,
    )
    return HttpServer(app, door, drain_s=settings.drain_s, max_connections=settings.max_connections)


def _tls(settings: Settings) -> Tls | None:
    if settings.tls_cert_file is None or settings.tls_key_file is None:
        return None
    return Tls(settings.tls_cert_file, settings.tls_key_file, settings.tls_client_ca_file)


def _stop_on_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)


async def _beat(collector: _Collector) -> None:
    settings = collector.settings
    if settings.heartbeat_url:
        await beat(
            settings.heartbeat_url,
            every_s=settings.heartbeat_every_s,
            what_is_wrong=collector.what_is_wrong,
            stopping=collector.stopping,
        )


async def _send_alerts(collector: _Collector) -> None:
    settings = collector.settings
    if not settings.alert_webhook_url:
        return
    sender = Sender(
        collector.store,
        url=settings.alert_webhook_url,
        timeout_s=settings.alert_timeout_s,
        max_attempts=settings.alert_max_attempts,
    )
    try:
        await sender.run(collector.stopping)
    finally:
        sender.close()


async def _evaluate(collector: _Collector) -> None:
    """Tick until the collector stops. A tick that fails is tried again: nothing is lost by it."""
    settings = collector.settings
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="evaluate") as thread:
        evaluation = collector.evaluation
        while not collector.stopping.is_set():
            await loop.run_in_executor(thread, evaluation.run)
            try:
                await asyncio.wait_for(collector.stopping.wait(), settings.evaluate_every_s)
            except TimeoutError:
                continue
