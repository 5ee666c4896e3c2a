"""The command line and the environment of each process."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from hotspan_demo.processes import Command
from hotspan_demo.settings import DemoSettings, checkout

__all__ = ["collector", "new_hash_key", "prepare_shop", "stub", "ui", "web", "worker"]

WEB_WORKERS = 2
TASK_WORKERS = 2
SERVERS = ("DATABASE_URL", "REDIS_URL")
# With hotspan in it, the shop has OpenTelemetry's own spans only: what is found by these?
DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


def program(name: str) -> str:
    """A program of the environment that the demo runs in."""
    return str(Path(sys.executable).parent / name)


def plain_environment() -> dict[str, str]:
    """Ours, without what would change where telemetry goes, or send local calls to a proxy.

    DATABASE_URL and REDIS_URL may be set for something else, which the demo must not touch: it
    takes SHOP_DATABASE_URL and SHOP_REDIS_URL instead.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if (name == DISABLED or not name.startswith("OTEL_")) and name not in SERVERS
    }
    servers = {name: os.environ.get(f"SHOP_{name}", "") for name in SERVERS}
    local = "127.0.0.1,localhost"
    return {**kept, **servers, "NO_PROXY": local, "no_proxy": local}


def command(
    settings: DemoSettings, name: str, *arguments: str, environment: dict[str, str]
) -> Command:
    return Command(
        name=name,
        arguments=arguments,
        environment=environment,
        folder=settings.data_dir,
        log=settings.logs / f"{name.replace(' ', '-')}.log",
    )


def collector(settings: DemoSettings) -> Command:
    environment = plain_environment()
    if settings.store:
        environment["HOTSPAN_STORE"] = settings.store
    environment["HOTSPAN_UI_URL"] = settings.ui_url
    return command(
        settings,
        "collector",
        program("hotspan"),
        "serve",
        "--data-dir",
        str(settings.data_dir),
        "--grpc-port",
        str(settings.ports.grpc),
        "--http-port",
        str(settings.ports.http),
        "--api-port",
        str(settings.ports.api),
        "--config",
        str(checkout() / "deploy" / "demo" / "hotspan.toml"),
        environment=environment,
    )


def ui(settings: DemoSettings) -> Command:
    environment = {**plain_environment(), "HOTSPAN_API_URL": settings.api_url}
    port = str(settings.ports.ui)
    arguments = (program("hotspan"), "ui", "--port", port, "--api-url", settings.api_url)
    return command(settings, "ui", *arguments, environment=environment)


def stub(settings: DemoSettings) -> Command:
    port = str(settings.ports.stub)
    arguments = (sys.executable, "-m", "hotspan_demo.stub", "--port", port)
    return command(settings, "outside world", *arguments, environment=plain_environment())


def prepare_shop(settings: DemoSettings) -> Command:
    arguments = (sys.executable, "-m", "django", "prepare")
    environment = shop_environment(settings)
    return command(settings, "shop preparation", *arguments, environment=environment)


def web(settings: DemoSettings, *, hash_key: str) -> Command:
    return command(
        settings,
        "web server",
        program("opentelemetry-instrument"),
        program("gunicorn"),
        "shop.wsgi:application",
        "--bind",
        f"127.0.0.1:{settings.ports.web}",
        "--workers",
        str(WEB_WORKERS),
        "--no-control-socket",
        environment=instrumented(settings, service="shop-web", hash_key=hash_key),
    )


def worker(settings: DemoSettings, *, hash_key: str) -> Command:
    return command(
        settings,
        "task worker",
        program("opentelemetry-instrument"),
        program("celery"),
        "--app",
        "shop",
        "worker",
        "--pool",
        "prefork",
        "--concurrency",
        str(TASK_WORKERS),
        "--loglevel",
        "INFO",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
        environment=instrumented(settings, service="shop-worker", hash_key=hash_key),
    )


def shop_environment(settings: DemoSettings) -> dict[str, str]:
    """What the shop reads; one variable says which release it is."""
    return {
        **plain_environment(),
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "PYTHONPATH": str(checkout() / "deploy" / "demo"),
        "PYTHONUNBUFFERED": "1",
        # Celery warns of workers that run as root; in the demo nobody else sends it messages.
        "C_FORCE_ROOT": "1",
        "SHOP_RELEASE": settings.release,
        "SHOP_DATA_DIR": str(settings.shop_dir),
        "SHOP_STUB_URL": settings.stub_url,
    }


def instrumented(settings: DemoSettings, *, service: str, hash_key: str) -> dict[str, str]:
    """All that the shop needs to be traced: no line of it is changed."""
    resource = {
        "service.namespace": "shop",
        "service.version": settings.reported_version,
        "deployment.environment.name": "production",
    }
    return {
        **shop_environment(settings),
        "OTEL_SERVICE_NAME": service,
        "OTEL_RESOURCE_ATTRIBUTES": ",".join(f"{key}={value}" for key, value in resource.items()),
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{settings.ports.http}",
        "HOTSPAN_HASH_KEY": hash_key,
    }


def new_hash_key() -> str:
    """One key for web and worker, so that their hashes can be compared."""
    return os.environ.get("HOTSPAN_HASH_KEY") or secrets.token_hex(32)
