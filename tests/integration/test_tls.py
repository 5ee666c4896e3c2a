"""OTLP over TLS, with and without client certificates, and limits by key."""

import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
from google.rpc.status_pb2 import Status

from support.collector import Collector
from support.otlp_requests import request, span
from support.shop_traces import new_trace_id

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def body(size: int = 0) -> bytes:
    attributes = {"text": "x" * size}
    return request(
        [
            span(
                "a",
                trace_id=new_trace_id(),
                span_id="01" * 8,
                start_ns=time.time_ns(),
                attributes=attributes,
            )
        ]
    )


def openssl(directory: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)


def certificate(directory: Path, name: str, *, signed_by: str = "") -> None:
    """Make NAME.pem and NAME.key: an authority, or a certificate of one for 127.0.0.1."""
    key = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    files = ("-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}")
    signed = ("-CA", f"{signed_by}.pem", "-CAkey", f"{signed_by}.key") if signed_by else ()
    alternative = ("-addext", "subjectAltName=IP:127.0.0.1") if signed_by else ()
    openssl(directory, *key, "-x509", *files, *signed, *alternative)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("certificates")
    certificate(directory, "authority")
    certificate(directory, "stranger")
    certificate(directory, "server", signed_by="authority")
    certificate(directory, "client", signed_by="authority")
    certificate(directory, "strangers-client", signed_by="stranger")
    return directory


@pytest.fixture(scope="module", params=["tls", "mtls"])
def collector(request, tmp_path_factory, certificates: Path) -> Iterator[Collector]:
    env = {
        "HOTSPAN_TLS_CERT_FILE": str(certificates / "server.pem"),
        "HOTSPAN_TLS_KEY_FILE": str(certificates / "server.key"),
    }
    if request.param == "mtls":
        env["HOTSPAN_TLS_CLIENT_CA_FILE"] = str(certificates / "authority.pem")
    collector = Collector(tmp_path_factory.mktemp("collector"), env=env)
    collector.asks_for_certificates = request.param == "mtls"
    collector.start()
    yield collector
    assert collector.stop() == 0


def over_http(collector: Collector, certificates: Path, client: str) -> int | None:
    context = ssl.create_default_context(cafile=str(certificates / "authority.pem"))
    if client:
        context.load_cert_chain(certificates / f"{client}.pem", certificates / f"{client}.key")
    try:
        return httpx.post(
            f"https://127.0.0.1:{collector.http_port}/v1/traces",
            content=body(),
            headers={"content-type": "application/x-protobuf"},
            verify=context,
            trust_env=False,
            timeout=30,
        ).status_code
    except (httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError):
        return None


def over_grpc(collector: Collector, certificates: Path, client: str) -> int | None:
    def content(name: str) -> bytes | None:
        return (certificates / name).read_bytes() if client else None

    credentials = grpc.ssl_channel_credentials(
        (certificates / "authority.pem").read_bytes(),
        content(f"{client}.key"),
        content(f"{client}.pem"),
    )
    with grpc.secure_channel(collector.grpc_target, credentials) as channel:
        try:
            channel.unary_unary(TRACES)(body(), timeout=10)
        except grpc.RpcError:
            return None
        return 200


@pytest.mark.parametrize("send", [over_http, over_grpc])
@pytest.mark.parametrize("client", ["", "client", "strangers-client"])
def test_who_may_send_over_tls(collector: Collector, certificates: Path, send, client):
    """With an authority for clients, those only that it knows; without, everybody."""
    allowed = client == "client" or not collector.asks_for_certificates

    assert send(collector, certificates, client) == (200 if allowed else None)


def test_plain_text_is_not_understood_over_tls(collector: Collector):
    """Nobody sends spans in the clear by mistake."""
    with pytest.raises(httpx.TransportError):
        collector.post(body())


@pytest.mark.slow
def test_each_key_has_its_limit(tmp_path: Path):
    """Who sends more hears when to try again, on both transports; others are not held up."""
    collector = Collector(
        tmp_path,
        env={
            "HOTSPAN_INGEST_KEYS": '["loud", "quiet"]',
            "HOTSPAN_INGEST_KEY_BYTES_PER_S": "1000",
        },
    )
    collector.start()
    loud, quiet = ({"authorization": f"Bearer {key}"} for key in ("loud", "quiet"))
    try:
        first = collector.post(body(50_000), headers=loud)
        second = collector.post(body(), headers=loud)
        other = collector.post(body(), headers=quiet)
        with (
            grpc.insecure_channel(collector.grpc_target) as channel,
            pytest.raises(grpc.RpcError) as refused,
        ):
            channel.unary_unary(TRACES)(body(), timeout=30, metadata=list(loud.items()))
    finally:
        collector.stop()

    assert [answer.status_code for answer in (first, second, other)] == [200, 429, 200]
    assert second.headers["retry-after"] == "2"
    assert "HOTSPAN_INGEST_KEY_BYTES_PER_S" in Status.FromString(second.content).message
    assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    trailers = dict(refused.value.trailing_metadata() or ())
    assert trailers["google.rpc.retryinfo-bin"]
