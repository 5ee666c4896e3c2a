"""How commands reach the API, and what they do when they cannot.

Exit codes of every command: 0 it answered, 1 what was asked for is not there or not well, 2 it was
asked wrongly, 3 the API cannot be reached.
"""

from __future__ import annotations

from contextlib import contextmanager
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import httpx
import typer
from pydantic import BaseModel, ValidationError

from hotspan_collector.api.models import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["ApiClient", "ApiKey", "ApiUrl", "Exit", "Format", "open_api"]

_TIMEOUT_S = 60.0

AnswerT = TypeVar("AnswerT", bound=BaseModel)

ApiUrl = Annotated[
    str, typer.Option("--api-url", envvar="HOTSPAN_API_URL", help="Address of the collector's API.")
]
ApiKey = Annotated[
    str,
    typer.Option(
        "--api-key",
        envvar="HOTSPAN_API_KEY",
        help="One of the collector's HOTSPAN_API_KEYS, when it has some.",
        show_default=False,
    ),
]


class Format(StrEnum):
    """What a command prints."""

    TABLE = "table"
    JSON = "json"


class Exit(IntEnum):
    """Exit codes of all commands that ask the API."""

    OK = 0
    PROBLEM = 1
    USAGE = 2
    UNREACHABLE = 3


class ApiClient:
    """Asks the API. An answer that cannot be had ends the command, with words and a code."""

    def __init__(self, http: httpx.Client, *, url: str) -> None:
        self._http = http
        self._url = url

    def post(self, path: str, body: Mapping[str, object]) -> bytes:
        """Send JSON and return that of the answer. Raises as `get` does."""
        return self._ask("POST", path, json=dict(body))

    def stream(self, path: str, body: Mapping[str, object]) -> Iterator[str]:
        """Send JSON and return the lines of the answer as they come. Raises as `get` does."""
        with self._http.stream("POST", f"/api/v1{path}", json=dict(body), timeout=None) as answer:
            if not answer.is_success:
                answer.read()
                raise _refusal(answer, self._url)
            yield from answer.iter_lines()

    def delete(self, path: str) -> bytes:
        """Take something back and return the JSON of the answer. Raises as `get` does."""
        return self._ask("DELETE", path)

    def get(self, path: str, parameters: Mapping[str, str | int] | None = None) -> bytes:
        """Return the JSON of an answer.

        Raises:
            typer.Exit: there is none; why has been said on standard error.

        """
        asked = {name: value for name, value in (parameters or {}).items() if value != ""}
        return self._ask("GET", path, params=asked)

    def _ask(self, method: str, path: str, **content: Any) -> bytes:  # noqa: ANN401 (httpx's own)
        try:
            answer = self._http.request(method, f"/api/v1{path}", **content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _stop(
                f"The API at {self._url} does not answer ({error}).\n"
                "Is the collector running? Start it with: hotspan serve. If its API is elsewhere, "
                "say so with --api-url or HOTSPAN_API_URL.",
                Exit.UNREACHABLE,
            ) from error
        if answer.is_success:
            return answer.content
        raise _refusal(answer, self._url)

    def read(
        self,
        model: type[AnswerT],
        path: str,
        parameters: Mapping[str, str | int] | None = None,
    ) -> AnswerT:
        """Return an answer. Raises as `get` does."""
        content = self.get(path, parameters)
        try:
            # A newer collector may say more than we know.
            return model.model_validate_json(content, extra="ignore")
        except ValidationError as error:
            raise _stop(
                f"What answers at {self._url} is not a hotspan API of this version "
                f"({error.error_count()} differences in {path}).",
                Exit.UNREACHABLE,
            ) from error


@contextmanager
def open_api(url: str, key: str) -> Iterator[ApiClient]:
    """Connect to the API at `url`."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    # The collector is a neighbour: proxies meant for the internet stay out of it.
    with httpx.Client(
        base_url=url.rstrip("/"), headers=headers, timeout=_TIMEOUT_S, trust_env=False
    ) as http:
        yield ApiClient(http, url=url)


def _refusal(answer: httpx.Response, url: str) -> typer.Exit:
    try:
        message = Problem.model_validate_json(answer.content, extra="ignore").message
    except ValidationError:
        message = f"{url} answered {answer.status_code}: is that a hotspan API?"
        return _stop(message, Exit.UNREACHABLE)
    match answer.status_code:
        case httpx.codes.BAD_REQUEST:
            return _stop(message, Exit.USAGE)
        case httpx.codes.UNAUTHORIZED:
            return _stop(f"{message}\nSet HOTSPAN_API_KEY, or use --api-key.", Exit.UNREACHABLE)
        case httpx.codes.SERVICE_UNAVAILABLE:
            return _stop(message, Exit.UNREACHABLE)
        case _:
            return _stop(message, Exit.PROBLEM)


def _stop(message: str, code: Exit) -> typer.Exit:
    typer.echo(f"hotspan: {message}", err=True)
    return typer.Exit(code)
