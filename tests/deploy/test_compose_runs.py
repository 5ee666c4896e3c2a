import re
import sys
from pathlib import Path

import httpx
import yaml

from support.processes import Process, free_port

ROOT = Path(__file__).parents[2]
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
KEY = "a-key-of-this-test"


def _filled_in(value: str) -> str:
    """Put a value in place of each ${VARIABLE:?message}, as compose does from .env."""
    return re.sub(r"\$\{[A-Z_]+[^}]*\}", KEY, value)


def _environment(service: str, **changes: str) -> dict[str, str]:
    given = {name: _filled_in(value) for name, value in SERVICES[service]["environment"].items()}
    return given | changes


def test_collector_starts_with_this_environment(clickhouse_url, tmp_path):
    """With compose's settings the collector becomes ready on a server, and asks for the key."""
    port = free_port()
    environment = _environment(
        "collector",
        HOTSPAN_STORE=clickhouse_url,
        HOTSPAN_HOST="127.0.0.1",
        HOTSPAN_GRPC_PORT=str(free_port()),
        HOTSPAN_HTTP_PORT=str(free_port()),
        HOTSPAN_API_PORT=str(port),
        HOTSPAN_DATA_DIR=str(tmp_path / "data"),
    )
    address = f"http://127.0.0.1:{port}"

    with Process(
        [Path(sys.executable).with_name("hotspan"), "serve"],
        log_path=tmp_path / "log",
        env=environment,
        cwd=tmp_path,
    ) as collector:
        collector.wait_for_url(f"{address}/readyz", timeout_s=60)
        with httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
            without = client.get("/api/v1/services")
            with_key = client.get("/api/v1/services", headers={"Authorization": f"Bearer {KEY}"})

    assert without.status_code == 401
    assert with_key.status_code == 200
