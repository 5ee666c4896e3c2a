"""The collector's settings: environment variables `HOTSPAN_*`, or a TOML file (`--config`).

A command line option wins over the environment, the environment over the file, the file over the
default.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path  # noqa: TC003 (pydantic reads the annotations)
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from hotspan_collector.errors import ConfigurationError
from hotspan_collector.ingest_settings import IngestSettings

if TYPE_CHECKING:
    from pydantic_settings import PydanticBaseSettingsSource

    from hotspan_collector.ingest_settings import Role

__all__ = ["Settings", "is_loopback", "load_settings"]


class Settings(IngestSettings):
    """Everything that can be set about a collector."""

    model_config = SettingsConfigDict(env_prefix="HOTSPAN_", extra="forbid", frozen=True)

    evaluate_every_s: float = Field(
        default=2.0,
        gt=0,
        description="Seconds between two looks at what has come; after a longer one as long as it "
        "took, at most three times this.",
    )
    windows_every_s: float = Field(
        default=30.0, gt=0, description="Seconds between two rounds of the rules over windows."
    )
    evaluate_part_spans: int = Field(
        default=500_000,
        ge=1_000,
        description="Spans that are evaluated at once; bounds the memory of an evaluation.",
    )
    long_trace_spans: int = Field(
        default=20_000,
        ge=100,
        description="A trace of as many spans is evaluated again after a second at the earliest, "
        "one of ten times as many after ten.",
    )
    settle_s: float = Field(
        default=3.0,
        ge=0,
        description="An entry is evaluated this long after its own span has come, in seconds.",
    )
    settle_incomplete_s: float = Field(
        default=60.0,
        ge=0,
        description="An entry whose own span is missing is evaluated this long after its first.",
    )
    rules: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="Values of rules' settings, by rule id: `[rules.n_plus_one]` in the file.",
    )
    rules_disabled: tuple[str, ...] = Field(default=(), description="Ids of rules not to run.")
    rules_dir: Path | None = Field(
        default=None,
        description="Folder with rule files of your own, read at the start and again on SIGHUP.",
    )
    canary_every_s: float = Field(
        default=300.0,
        gt=0,
        description="Seconds between two looks whether the rules find an entry made up for it.",
    )
    open_after_hits: int = Field(
        default=3,
        ge=1,
        description="Hits within a day that open a violation; one is enough when it is critical or "
        "the rule is about tasks.",
    )
    quiet_after_s: float = Field(
        default=3600.0,
        gt=0,
        description="An alert resolves as quiet when its violation was not hit for this long.",
    )
    verify_min_entries: int = Field(
        default=5,
        ge=1,
        description="Entries of newer releases without a hit that prove a fix, at least; more when "
        "only some entries were hit before (docs/adr/0004-lifecycle.md).",
    )
    rollback_after_s: float = Field(
        default=600.0,
        gt=0,
        description="A verified fix is open again when an older release is hit and the fixed ones "
        "have not run for this long, in seconds.",
    )

    alert_webhook_url: str = Field(
        default="",
        description="Where alerts go: an HTTP address that takes Alertmanager's webhook JSON "
        "(version 4). Empty: no alerts.",
    )
    alert_timeout_s: float = Field(default=10.0, gt=0, description="Longest time for one delivery.")
    alert_max_attempts: int = Field(
        default=20, ge=1, description="Deliveries tried, with growing pauses, before giving up."
    )
    ui_url: str = Field(
        default="http://127.0.0.1:8501", description="Address of the UI, for links in alerts."
    )
    query_timeout_s: float = Field(
        default=30.0, gt=0, description="Longest time a query of the API may take, in seconds."
    )
    max_trace_spans: int = Field(
        default=50_000, ge=1, description="Most spans of one trace that the API returns."
    )

    api_threads: int = Field(
        default=6,
        ge=1,
        le=64,
        description="Queries of the API that run at once; each holds a connection to the store.",
    )
    api_max_waiting: int = Field(
        default=64,
        ge=1,
        description="Requests that may wait for one of them; more are refused (503, try again).",
    )
    heartbeat_url: str = Field(
        default="",
        description="Asked for every `heartbeat_every_s` while store, ingest and evaluator work: a "
        "monitor elsewhere misses it when they do not, or when this machine is gone.",
    )
    heartbeat_every_s: float = Field(default=60.0, gt=0, description="Seconds between two beats.")
    ready_max_lag_s: float = Field(
        default=60.0,
        gt=0,
        description="`/readyz` answers 503 when no evaluation worked for this long, in seconds.",
    )
    api_max_page: int = Field(
        default=1000, ge=1, description="Most rows that one answer of a list or a search returns."
    )

    def has_role(self, role: Role) -> bool:
        """Tell whether this process does something."""
        return role in self.roles

    @property
    def store_dsn(self) -> str:
        """The store's address: `store`, or the embedded store in `data_dir`."""
        return self.store or f"chdb://{self.data_dir.expanduser().absolute()}/store"

    @property
    def spool_directory(self) -> Path:
        """Where batches wait while the store is down."""
        return self.spool_dir or self.data_dir.expanduser().absolute() / "spool"

    @property
    def quarantine_directory(self) -> Path:
        """Where spans are kept that the store refused."""
        return self.data_dir.expanduser().absolute() / "quarantine"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line, then environment, then the file named by `load_settings`."""
        del dotenv_settings, file_secret_settings
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))


def load_settings(*, config: Path | None = None, **options: object) -> Settings:
    """Read the settings; `options` that are None are left to environment, file and default.

    Raises:
        ConfigurationError: a value cannot be used; the message names it and where it stands.

    """
    if config is not None and not config.is_file():
        raise ConfigurationError(f"The settings file {config} does not exist.")
    given = {name: value for name, value in options.items() if value is not None}

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=config)

    try:
        settings = FromFile(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from error
    except SettingsError as error:
        raise ConfigurationError(
            f"{error}. Lists and tables are JSON in the environment, as in docs/operations.md."
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"The settings file {config} is not TOML: {error}") from error
    _refuse_open_doors(settings)
    _check_tls(settings)
    _check_cluster(settings)
    return settings


def is_loopback(host: str) -> bool:
    """Tell whether an address is reachable from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refuse_open_doors(settings: Settings) -> None:
    if is_loopback(settings.host):
        return
    missing = [name for name in ("ingest_keys", "api_keys") if not getattr(settings, name)]
    if missing:
        names = " and ".join(f"HOTSPAN_{name.upper()}" for name in missing)
        raise ConfigurationError(
            f"To listen on {settings.host}, set {names}: without keys anybody who reaches this "
            "machine could write and read spans. Example: HOTSPAN_INGEST_KEYS='[\"a-secret\"]'. "
            "Or listen on 127.0.0.1."
        )


def _check_tls(settings: Settings) -> None:
    cert, key, authority = (
        settings.tls_cert_file,
        settings.tls_key_file,
        settings.tls_client_ca_file,
    )
    if (cert is None) != (key is None) or (authority and not cert):
        raise ConfigurationError(
            "TLS needs both HOTSPAN_TLS_CERT_FILE and HOTSPAN_TLS_KEY_FILE; set both, or neither "
            "and no HOTSPAN_TLS_CLIENT_CA_FILE."
        )
    for path in filter(None, (cert, key, authority)):
        try:
            path.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"The TLS file {path} cannot be read: {error}.") from error


def _check_cluster(settings: Settings) -> None:
    if not settings.cluster and not settings.cluster_nodes:
        return
    nodes = settings.cluster_nodes
    if not settings.cluster or not nodes or nodes[0] != settings.store:
        raise ConfigurationError(
            "A cluster needs HOTSPAN_CLUSTER, its name, and HOTSPAN_CLUSTER_NODES, the addresses "
            "of all its nodes, the first of which is HOTSPAN_STORE. Example: "
            "HOTSPAN_STORE=http://db-1:8123/hotspan HOTSPAN_CLUSTER=hotspan "
            'HOTSPAN_CLUSTER_NODES=\'["http://db-1:8123/hotspan", "http://db-2:8123/hotspan"]\'.'
        )


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"])
        variable = f"HOTSPAN_{name.upper()}"
        lines.append(f"{variable} (or `{name}` in the settings file): {problem['msg']}")
    return "\n".join(lines)
