"""Settings of where the collector listens and keeps spans, and of how it takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode

__all__ = ["ROLES", "IngestSettings", "Role"]

_MIB = 1024 * 1024

Role = Literal["ingest", "evaluate", "alerts", "api"]
ROLES: tuple[Role, ...] = get_args(Role)


def _parse_roles(given: object) -> object:
    """Take `ingest,api` as well as a list; refuse what is no role."""
    names = given.split(",") if isinstance(given, str) else given
    if not isinstance(names, list | tuple):
        return names
    roles = [str(name).strip() for name in names]
    unknown = [role for role in roles if role not in ROLES]
    if unknown or not roles:
        raise ValueError(
            f"{', '.join(map(repr, unknown)) or 'nothing'} is no role; "
            f"choose from {', '.join(ROLES)}, separated by commas"
        )
    return tuple(role for role in ROLES if role in roles)


class IngestSettings(BaseSettings):
    """Everything that can be set about receiving and storing."""

    store: str = Field(
        default="",
        description="Where spans are kept: `chdb:///directory` for the embedded store, "
        "`http(s)://user:password@host:8123/database` for a ClickHouse server (25.8 or newer). "
        "Empty: the embedded store in `data_dir`.",
    )
    cluster: str = Field(
        default="",
        pattern=r"^\w*$",
        description="Name of the ClickHouse cluster, in its servers' `remote_servers`, that "
        "`store` is a node of. Empty: `store` is a server of its own.",
    )
    cluster_nodes: tuple[str, ...] = Field(
        default=(),
        description="Address of every node of the cluster, as in `store`, which is the first of "
        "them; a JSON list in the environment. Tables are brought up to date on each.",
    )
    cluster_replicated: bool = Field(
        default=False,
        description="The nodes of a shard are replicas of each other: tables are Replicated ones, "
        "which need Keeper and the macros `shard` and `replica`.",
    )
    data_dir: Path = Field(
        default=Path.home() / ".local" / "share" / "hotspan",
        description="Where the embedded store keeps its files, when `store` is empty.",
    )
    roles: Annotated[tuple[Role, ...], NoDecode, BeforeValidator(_parse_roles)] = Field(
        default=ROLES,
        description="What this process does, separated by commas: `ingest` takes spans, `evaluate` "
        "judges them, `alerts` tells others, `api` answers. Of several processes on one ClickHouse "
        "server one evaluates and one alerts at a time.",
    )
    lease_s: float = Field(
        default=10.0,
        ge=1,
        description="Seconds after which another process evaluates, or alerts, when the one that "
        "does falls silent.",
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
        default=8 * _MIB,
        ge=1024,
        description="A commit is started early when this many bytes wait for it. Larger ones cost "
        "less CPU a span, keep fewer cores busy at once, and need more memory in ClickHouse: about "
        "ten times their size.",
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
    retention_days_by_service: dict[str, Annotated[int, Field(ge=1, le=10_000)]] = Field(
        default_factory=dict,
        description="Days for the spans of some services, for those that come from now on: "
        "`[retention_days_by_service]` in the file, JSON in the environment. What was found in "
        "them is kept as long as the spans of any service.",
    )
    pinned_trace_spans: int = Field(
        default=10_000,
        ge=1,
        description="Most spans that are kept of a trace which is evidence for a violation, beyond "
        "their retention.",
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

    embedded_memory_bytes: int = Field(
        default=4096 * _MIB,
        ge=0,
        description="Memory that the embedded engine may use in all, in bytes, and never more than "
        "90 % of the machine's. 0: no other limit.",
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
