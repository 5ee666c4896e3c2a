"""Serves the API as `hotspan serve` does, on a free port, over a store in this process."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn

from hotspan_collector.api.app import create_app
from hotspan_collector.api.models import Duty, Status
from hotspan_collector.database import Database
from hotspan_collector.rules.catalogue import load_catalogue
from hotspan_collector.rules.trials import Trials
from hotspan_collector.settings import Settings


@dataclass
class CollectorStatus:
    """What the API is told about the rest of the collector."""

    evaluator_lag_s: float | None = 0.4
    evaluator: str | None = None
    """Which process evaluates, as told by the lease; None: nothing is told."""

    set_aside: Mapping[str, str] = field(default_factory=dict)

    def __call__(self) -> Status:
        return Status(
            version="0.1.0",
            store="chdb 4.4",
            spans_stored=12,
            spans_rejected=1,
            evaluator_lag_s=self.evaluator_lag_s,
            evaluator_pending_entries=2,
            last_evaluated_entry=None,
            alerts_pending=0,
            traces_set_aside=dict(self.set_aside),
            duties=(
                []
                if self.evaluator is None
                else [Duty(name="evaluate", owner=self.evaluator, here=False, renewed_s_ago=1.0)]
            ),
        )


@contextmanager
def serve_api(
    database: Database,
    *,
    status: Callable[[], Status] | None = None,
    settings: Settings | None = None,
    disabled_rules: Sequence[str] = (),
    trials: Trials | None = None,
) -> Iterator[str]:
    """Serve, and yield the address."""
    app = create_app(
        database=database,
        catalogue=load_catalogue(disabled=disabled_rules),
        status=status or CollectorStatus(),
        settings=settings or Settings(),
        trials=trials,
    )
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning")
    server = _Server(config)
    thread = threading.Thread(target=server.run, name="api-server")
    thread.start()
    try:
        assert server.up.wait(20), "the API did not start"
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list | None = None) -> None:
        await super().startup(sockets)
        self.up.set()
