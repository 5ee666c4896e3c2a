"""The collector's settings: environment variables `HOTSPAN_*`, or a TOML file (`--config`).

A command line option wins over the environment, the environment over the file, the file over the
default.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, TomlConfigSettingsSource

from hotspan_collector.errors import ConfigurationError

if TYPE_CHECKING:
    from pydantic_settings import PydanticBaseSettingsSource

__all__ = ["Settings", "is_loopback", "load_settings"]

_MIB = 1024 * 1024


class Settings(BaseSettings):
    """Everything that can be set about a collector."""

    model_config = SettingsConfigDict(env_prefix="HOTSPAN_", extra="forbid", frozen=True)

    store: str = Field(
        default="",
        description="Where spans are kept: `chdb:///directory` for the embedded store, "
        "`http(s)://user:password@host:8123/database` for a ClickHouse server (25.8 or newer). "
        "Empty: the embedded store in `data_dir`.",
    )
    data_dir: Path = Field(
        default=Path.home() / ".local" / "share" / "hotspan",
        description="Where the embedded store keeps its files, when `store` is empty.",
    )
    host: str = Field(
        default="127.0.0.1",
        description="Address to listen on. Anything but loopback needs `ingest_keys` and "
        "`api_keys`.",
    )
    grpc_port: int = Field(default=4317, ge=0, le=65535, description="Port of OTLP/gRPC.")
    http_port: int = Field(default=4318, ge=0, le=65535, description="Port of OTLP/HTTP.")
    api_port: int = Field(default=4319, ge=0, le=65535, description="Port of the API.")
    ingest_keys: tuple[SecretStr, ...] = Field(
        default=(),
        description="Keys that may send spans, as `Authorization: Bearer …`; a JSON list in the "
        "environment. Empty: no key is asked for.",
    )
    ingest_key_bytes_per_s: int = Field(
        default=0,
        ge=0,
        description="Bytes a second that each key may send, decompressed, on average over 5 s; "
        "more is refused (429, try again). Senders without a key share one limit. 0: no limit.",
    )
    tls_cert_file: Path | None = Field(
        default=None,
        description="Certificate (PEM, with its chain) with which OTLP is taken over TLS, on both "
        "ports. Empty: no TLS.",
    )
    tls_key_file: Path | None = Field(
        default=None, description="Private key (PEM) of `tls_cert_file`."
    )
    tls_client_ca_file: Path | None = Field(
        default=None,
        description="Certificates (PEM) of the authorities whose clients may send (mTLS); others "
        "are turned away. Empty: no client certificate is asked for.",
    )
    api_keys: tuple[SecretStr, ...] = Field(
        default=(),
        description="Keys that may use the API, as `Authorization: Bearer …`; a JSON list in the "
        "environment. Empty: no key is asked for.",
    )
    log_format: str = Field(
        default="console", pattern="^(console|json)$", description="`console` or `json`."
    )

    max_request_bytes: int = Field(
        default=64 * _MIB,
        ge=1024,
        description="Largest OTLP request, after decompression, in bytes. OTLP recommends 64 MiB.",
    )
    max_json_request_bytes: int = Field(
        default=16 * _MIB,
        ge=1024,
        description="Largest OTLP request in JSON, in bytes: reading it takes twenty times that.",
    )
    max_request_spans: int = Field(
        default=200_000, ge=1, description="Most spans of one request; more are refused (413)."
    )
    max_request_attributes: int = Field(
        default=2_000_000,
        ge=1,
        description="Most attributes, events and links of one request: an empty one takes 2 bytes "
        "to send and 170 to store. Counted from 1 MiB on.",
    )
    max_attribute_bytes: int = Field(
        default=2 * _MIB,
        ge=_MIB,
        description="Largest attribute, event or link of a span, in bytes; the span is rejected.",
    )
    max_span_bytes: int = Field(
        default=4 * _MIB, ge=_MIB, description="Largest span, in bytes; larger ones are rejected."
    )
    max_concurrent_requests: int = Field(
        default=1024,
        ge=1,
        description="OTLP requests that are answered at once; more are refused (503, try again).",
    )
    max_connections: int = Field(
        default=4096, ge=1, description="Connections to the OTLP/HTTP port, and to the API's."
    )
    receive_timeout_s: float = Field(
        default=30.0,
        gt=0,
        description="Longest time that a request may take to arrive, in seconds: slow senders must "
        "not keep others out.",
    )
    commit_linger_ms: int = Field(
        default=100,
        ge=0,
        description="How long a request waits for others to be committed with it, in milliseconds.",
    )
    commit_max_bytes: int = Field(
        default=4 * _MIB,
        ge=1024,
        description="A commit is started early when this many bytes wait for it.",
    )
    commit_queue_bytes: int = Field(
        default=128 * _MIB,
        ge=1024,
        description="Requests are refused (503, try again) while those that are received or wait "
        "for their commit hold more than this many bytes.",
    )
    commit_workers: int = Field(default=2, ge=1, le=16, description="Commits that run at once.")
    drain_s: float = Field(
        default=5.0, ge=0, description="Longest time that open requests are given on SIGTERM."
    )
    insert_timeout_s: float = Field(
        default=15.0,
        gt=0,
        description="Longest time of an insert, in seconds. The evaluator looks back as far.",
    )
    retention_days: int = Field(
        default=30,
        ge=1,
        le=10_000,  # later dates than ClickHouse's DateTime knows would expire at once
        description="Days that spans are kept. Older spans are rejected when they arrive.",
    )
    future_tolerance_s: float = Field(
        default=600.0, ge=0, description="How far ahead of our clock a span may lie, in seconds."
    )
    reversed_tolerance_ms: float = Field(
        default=1000.0,
        ge=0,
        description="How far a span may end before its start (clock steps), in milliseconds; its "
        "duration is then 0.",
    )
    max_insert_memory_bytes: int = Field(
        default=1024 * _MIB,
        ge=64 * _MIB,
        description="Memory that one insert may use in ClickHouse, in bytes.",
    )

    redact_sql: bool = Field(
        default=True,
        description="Mask the literals in statements before they are stored, and drop their "
        "comments; a keyed hash stays, so that two statements can be told apart.",
    )
    redact_errors: bool = Field(
        default=True,
        description="Mask the values that databases repeat in the texts of errors (status "
        "messages, exception messages and stack traces).",
    )
    redact_urls: bool = Field(
        default=True,
        description="Take user and password out of URLs, and mask the values of their queries.",
    )
    redact_attributes: tuple[str, ...] = Field(
        default=(
            "*password*",
            "*passwd*",
            "*secret*",
            "*api_key*",
            "*apikey*",
            "*api-key*",
            "*access_token*",
            "*refresh_token*",
            "*authorization*",
            "*cookie*",
            "db.query.parameter.*",
            "db.operation.parameter.*",
            "db.statement.parameters",
            "process.command_args",
            "process.command_line",
        ),
        description="Attributes of spans, resources, events and links whose values are replaced "
        "by `[redacted]`: names with `*` for any text. Replaces the default list.",
    )
    redact_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key of the hashes that stand in for what was masked; the same for all "
        "collectors of a store. Empty: one is made once, in `data_dir`.",
    )
    spool_dir: Path | None = Field(
        default=None,
        description="Where batches wait while the store is down; put it on a volume of its own. "
        "Empty: `spool` in `data_dir`.",
    )
    spool_max_bytes: int = Field(
        default=1024 * _MIB,
        ge=0,
        description="Bytes that the spool may take; when it is full, senders are told to try "
        "again. 0: no spool.",
    )
    quarantine_max_bytes: int = Field(
        default=64 * _MIB,
        ge=0,
        description="Bytes of spans that the store refused, kept for a look in `quarantine` in "
        "`data_dir` (hotspan quarantine).",
    )

    evaluate_every_s: float = Field(
        default=1.0, gt=0, description="Seconds between two looks at what has come."
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
    ready_max_lag_s: float = Field(
        default=60.0,
        gt=0,
        description="`/readyz` answers 503 when no evaluation worked for this long, in seconds.",
    )
    api_max_page: int = Field(
        default=1000, ge=1, description="Most rows that one answer of a list or a search returns."
    )

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
    except ValueError as error:
        raise ConfigurationError(f"The settings file {config} is not TOML: {error}") from error
    _refuse_open_doors(settings)
    _check_tls(settings)
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


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"])
        variable = f"HOTSPAN_{name.upper()}"
        lines.append(f"{variable} (or `{name}` in the settings file): {problem['msg']}")
    return "\n".join(lines)
