"""What can be chosen about a run of the demo."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from hotspan_demo.errors import DemoError

__all__ = ["DemoSettings", "Ports", "checkout"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Ports on 127.0.0.1."""

    grpc: int = 4317
    http: int = 4318
    api: int = 4319
    ui: int = 8501
    web: int = 8000
    stub: int = 8099

    def by_option(self, *, with_ui: bool) -> dict[str, int]:
        """The ports that a run needs, by the option that changes each."""
        needed = {
            "--grpc-port": self.grpc,
            "--http-port": self.http,
            "--api-port": self.api,
            "--web-port": self.web,
            "--stub-port": self.stub,
        }
        return {**needed, "--ui-port": self.ui} if with_ui else needed


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """A run of the demo.

    Args:
        data_dir: Where the store, the shop's database and all logs are.
        store: DSN of a ClickHouse server; empty for the embedded store.
        version: The service.version that the shop reports; empty for that of the release.
        start_timeout_s: How long a process may take until it answers.
        evaluate_timeout_s: How long the collector may take, after the traffic, to have it all.
        stop_grace_s: How long a process may take to end before it is killed.

    """

    once: bool
    release: str
    data_dir: Path
    store: str = ""
    version: str = ""
    ports: Ports = field(default_factory=Ports)
    start_timeout_s: float = 60.0
    evaluate_timeout_s: float = 90.0
    stop_grace_s: float = 5.0

    @property
    def reported_version(self) -> str:
        return self.version or self.release

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"

    @property
    def shop_dir(self) -> Path:
        return self.data_dir / "shop"

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.api}"

    @property
    def shop_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.web}"

    @property
    def stub_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.stub}"

    @property
    def ui_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.ui}"


def checkout() -> Path:
    """The checkout that this file is part of.

    Raises:
        DemoError: it is not in a checkout.

    """
    root = Path(__file__).resolve().parents[3]
    if not (root / "deploy" / "demo" / "shop" / "settings.py").is_file():
        raise DemoError(
            "The demo runs in a checkout of hotspan only: clone the repository and run 'make demo'."
            f" (This is {Path(sys.prefix)}, without the demo shop.)"
        )
    return root
