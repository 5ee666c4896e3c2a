"""Reads files of OTLP: binary requests, OTLP/JSON, one request a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotspan_collector.errors import HotspanError, MalformedRequestError
from hotspan_collector.ingest.otlp import census_of
from hotspan_collector.ingest.otlp_json import protobuf_from_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["OtlpFile", "UnreadableFileError", "read_file"]

_BINARY = {".binpb", ".pb", ".bin"}
_LINES = {".jsonl", ".ndjson"}


class UnreadableFileError(HotspanError):
    """A file cannot be read as OTLP."""


@dataclass(frozen=True, slots=True)
class OtlpFile:
    """What a file holds: requests in protobuf, and how many spans there are in them."""

    path: Path
    requests: Sequence[bytes]
    spans: int


def read_file(path: Path) -> OtlpFile:
    """Read a file, by its suffix: `.binpb`, `.json`, or `.jsonl` with one request a line.

    Raises:
        UnreadableFileError: it is not there, or not what its suffix says; the message says why.

    """
    try:
        requests = list(_requests(path, path.read_bytes()))
        spans = sum(sum(census_of(request).values()) for request in requests)
    except OSError as error:
        raise UnreadableFileError(f"{path}: {error.strerror or error}.") from error
    except MalformedRequestError as error:
        raise UnreadableFileError(f"{path}: {error}") from error
    return OtlpFile(path, requests, spans)


def _requests(path: Path, content: bytes) -> Iterator[bytes]:
    suffix = path.suffix.lower()
    if suffix in _BINARY:
        yield content
    elif suffix in _LINES:
        yield from _lines(content)
    elif suffix == ".json":
        try:
            yield protobuf_from_json(content)
        except MalformedRequestError:
            # The collector's file exporter writes one request a line into files of any name.
            if content.strip().count(b"\n") == 0:
                raise
            yield from _lines(content)
    else:
        raise UnreadableFileError(
            f"{path}: its suffix is none of .binpb (protobuf), .json (OTLP/JSON) and .jsonl (one "
            "request a line). Rename it after what it holds."
        )


def _lines(content: bytes) -> Iterator[bytes]:
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield protobuf_from_json(line)
        except MalformedRequestError as error:
            raise MalformedRequestError(f"line {number}: {error}") from error
