"""Runs a collector: receivers, commits, evaluator, alerts and API in one process, or some."""

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
from hotspan_collector.duties import Duties, hold
from hotspan_collector.errors import HotspanError
from hotspan_collector.evaluation import Evaluation, pause_s
from hotspan_collector.health import EvaluatorHealth
from hotspan_collector.heartbeat import beat
from hotspan_collector.ingest.pipeline import build_pipeline
from hotspan_collector.lease import Guarded
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


@dataclass(slots=True)
class _Collector:
    settings: Settings
    rulebook: Rulebook
    store: SpanStore
    pipeline: Pipeline | None
    """Takes spans, when this process does."""
    health: EvaluatorHealth = field(default_factory=EvaluatorHealth)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    duties: Duties = field(init=False)
    guarded: Guarded = field(init=False)
    evaluation: Evaluation = field(init=False)

    def __post_init__(self) -> None:
        self.duties = Duties(self.store, lease_s=self.settings.lease_s, health=self.health)
        self.guarded = Guarded(self.duties.evaluating, self.store.private)
        self.evaluation = Evaluation(
            self.guarded, rulebook=self.rulebook, settings=self.settings, health=self.health
        )

    def status(self) -> Status:
        report, duties = self.duties.describe()
        rejected = self.pipeline.ledger.total().rejected.total() if self.pipeline else 0
        return Status(
            version=__version__,
            store=self.store.describe(),
            spans_stored=int(self.store.rows(_SQL["count_spans"])[0]["spans"]),
            spans_rejected=rejected,
            evaluator_lag_s=report.lag_s,
            evaluator_pending_entries=report.pending_traces,
            last_evaluated_entry=report.newest_entry,
            failing_rules=dict(report.failing_rules),
            traces_set_aside=dict(report.traces_set_aside),
            alerts_pending=self._alerts_pending(),
            roles=list(self.settings.roles),
            duties=list(duties),
        )

    def what_is_wrong(self) -> str | None:
        """Say why spans are not stored or not judged, or nothing."""
        max_lag_s = self.settings.ready_max_lag_s
        if self.pipeline and not self.pipeline.writer.is_store_up:
            return "The store takes no spans."
        if self.pipeline and self.pipeline.committer.oldest_wait_s() > max_lag_s:
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
    api = bind(settings.host, settings.api_port, what="The API", option="--api-port")
    http = _otlp_door(settings) if settings.has_role("ingest") else None
    store = await asyncio.to_thread(open_or_await_store, settings)
    try:
        pipeline = build_pipeline(store, settings) if http else None
    except HotspanError:
        await asyncio.to_thread(store.close)
        raise
    collector = _Collector(settings, rulebook, store, pipeline)
    _stop_on_signals(collector.stopping)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, rulebook.read_again)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_evaluate(collector))
            group.create_task(_send_alerts(collector))
            group.create_task(_beat(collector))
            api_server = _api_server(collector, api)
            group.create_task(api_server.run_until_stopped())
            told = [
                f"API http://{host_and_port(settings.host, api_server.port)}",
                f"store {store.describe()}",
            ]
            if pipeline and http:
                await _take_spans(collector, pipeline, http, group, told, started)
            else:
                started("  ".join(told))
                await collector.stopping.wait()
            api_server.should_exit = True
    finally:
        if pipeline:
            pipeline.close()
        await asyncio.to_thread(store.close)


def _otlp_door(settings: Settings) -> socket.socket:
    door = bind(settings.host, settings.http_port, what="OTLP/HTTP", option="--http-port")
    # gRPC binds by itself, and says less when it cannot.
    bind(settings.host, settings.grpc_port, what="OTLP/gRPC", option="--grpc-port").close()
    return door


async def _take_spans(  # noqa: PLR0913, PLR0917 (parts of `serve`)
    collector: _Collector,
    pipeline: Pipeline,
    door: socket.socket,
    group: asyncio.TaskGroup,
    told: list[str],
    started: Callable[[str], None],
) -> None:
    """Listen for spans until the collector stops; then commit those that were taken."""
    settings = collector.settings
    grpc_server, grpc_port = await start_grpc_server(settings=settings, intake=pipeline.intake)
    otlp_server = _otlp_server(settings, pipeline, door)
    group.create_task(pipeline.committer.run())
    group.create_task(otlp_server.run_until_stopped())
    otlp = [
        f"OTLP/gRPC {host_and_port(settings.host, grpc_port)}",
        f"OTLP/HTTP http://{host_and_port(settings.host, otlp_server.port)}",
    ]
    started("  ".join([*otlp, *told]))
    await collector.stopping.wait()
    # Receivers first, so that nothing is taken that would not be committed.
    otlp_server.should_exit = True
    await grpc_server.stop(grace=settings.drain_s)
    await pipeline.committer.drain()


def _otlp_server(settings: Settings, pipeline: Pipeline, door: socket.socket) -> HttpServer:
    return HttpServer(
        create_otlp_app(settings=settings, intake=pipeline.intake),
        door,
        drain_s=settings.drain_s,
        max_connections=settings.max_connections,
        receive_timeout_s=settings.receive_timeout_s,
        tls=_tls(settings),
    )


def _api_server(collector: _Collector, door: socket.socket) -> HttpServer:
    settings, duties = collector.settings, collector.duties
    metrics = Metrics(
        collector.pipeline, collector.health, leases=(duties.evaluating, duties.alerting)
    )
    app = create_app(
        database=collector.store,
        catalogue=collector.rulebook.catalogue,
        status=collector.status,
        settings=settings,
        pipeline=collector.pipeline,
        metrics=metrics.render,
        trials=collector.evaluation.trials if settings.has_role("evaluate") else None,
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
    settings, lease = collector.settings, collector.duties.alerting
    if not settings.alert_webhook_url or not settings.has_role("alerts"):
        return
    sender = Sender(
        collector.store,
        url=settings.alert_webhook_url,
        timeout_s=settings.alert_timeout_s,
        max_attempts=settings.alert_max_attempts,
        may_send=lease.is_held,
    )
    try:
        await hold(lease, length_s=settings.lease_s, work=lambda: sender.run(collector.stopping))
    finally:
        sender.close()


async def _evaluate(collector: _Collector) -> None:
    """Tick until the collector stops. A tick that fails is tried again: nothing is lost by it."""
    settings, loop = collector.settings, asyncio.get_running_loop()

    async def tick_again() -> None:
        with ThreadPoolExecutor(1, thread_name_prefix="evaluate") as thread:
            while not collector.stopping.is_set():
                began = loop.time()
                await loop.run_in_executor(thread, _evaluate_or_stand_by, collector)
                rest_s = pause_s(settings.evaluate_every_s, took_s=loop.time() - began)
                try:
                    await asyncio.wait_for(collector.stopping.wait(), rest_s)
                except TimeoutError:
                    continue

    if settings.has_role("evaluate"):
        lease = collector.duties.evaluating
        await hold(lease, length_s=settings.lease_s, work=tick_again)
    elif settings.has_role("api"):
        await tick_again()


def _evaluate_or_stand_by(collector: _Collector) -> None:
    """Do a tick where the lease is held; elsewhere keep up with the values of rules."""
    evaluates = collector.settings.has_role("evaluate") and collector.duties.evaluating.is_held()
    collector.evaluation.trials.accepting = evaluates
    if evaluates:
        if collector.guarded.take_over():
            collector.evaluation.start_anew()
        collector.evaluation.run()
        return
    collector.health.stand_by()
    try:
        collector.rulebook.refresh(collector.store)
    except HotspanError as error:
        _LOG.debug("rules_not_refreshed", reason=str(error))
