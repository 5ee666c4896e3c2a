"""The client of the collector's API: the only way the UI gets its data."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from hotspan_ui.models import (
    Answer,
    Ingest,
    Problem,
    Rule,
    Rules,
    RuleScope,
    Services,
    Span,
    Status,
    Trace,
    TraceSummaries,
    ViolationDetail,
    Violations,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

    from hotspan_ui.settings import Settings

__all__ = ["ApiError", "ApiRefusedError", "ApiUnreachableError", "Client", "NotFoundError"]

AnswerT = TypeVar("AnswerT", bound=Answer)


class ApiError(Exception):
    """The API could not answer; the message says what to do."""


class ApiUnreachableError(ApiError):
    """Nothing answers at the API's address."""


class NotFoundError(ApiError):
    """The API does not know what was asked for."""


class ApiRefusedError(ApiError):
    """The API answered with an error."""


class Client:
    """Typed calls of the API. Raises ApiError and nothing else."""

    def __init__(
        self,
        *,
        url: str,
        key: str | None = None,
        timeout_s: float = 15.0,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.url = url.rstrip("/")
        # The collector is a neighbour: proxies meant for the internet stay out of it.
        self._http = httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers=headers,
            timeout=timeout_s,
            trust_env=False,
            verify=ssl.create_default_context(),
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> Client:
        """Make the client that the settings describe."""
        key = settings.api_key.get_secret_value() if settings.api_key else None
        return cls(url=settings.api_url, key=key, timeout_s=settings.api_timeout_s)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def status(self) -> Status:
        """Ask how the collector is."""
        return self._get("/status", Status)

    def ingest(self) -> Ingest:
        """Ask what became of the spans that came.

        Raises NotFoundError where the collector's API runs apart from what takes spans.
        """
        return self._get("/ingest", Ingest)

    def services(self) -> Services:
        """List the services that sent spans."""
        return self._get("/services", Services)

    def rules(self) -> Rules:
        """List the catalogue of rules."""
        return self._get("/rules", Rules)

    def violations(self, filters: Mapping[str, str], *, limit: int) -> Violations:
        """List the violations that match all filters, worst first."""
        return self._get("/violations", Violations, [*filters.items(), ("limit", str(limit))])

    def violation(self, violation_id: str) -> ViolationDetail:
        """Fetch one violation with its evidence."""
        return self._get(f"/violations/{quote(violation_id, safe='')}", ViolationDetail)

    def act(self, violation_id: str, action: str, body: Mapping[str, JsonValue]) -> ViolationDetail:
        """Say something of a violation: acknowledge, ignore, unignore, resolve, reopen."""
        path = f"/violations/{quote(violation_id, safe='')}/{quote(action, safe='')}"
        return self._ask("POST", path, ViolationDetail, json=dict(body))

    def set_override(self, rule_id: str, body: Mapping[str, JsonValue]) -> RuleScope:
        """Set values of a rule, everywhere or for a place."""
        path = f"/rules/{quote(rule_id, safe='')}/overrides"
        return self._ask("POST", path, RuleScope, json=dict(body))

    def remove_override(self, rule_id: str, override_id: str) -> Rule:
        """Take back what was set."""
        path = f"/rules/{quote(rule_id, safe='')}/overrides/{quote(override_id, safe='')}"
        return self._ask("DELETE", path, Rule)

    def traces(self, query: Sequence[tuple[str, str]], *, limit: int) -> TraceSummaries:
        """Search entries; a name may stand in the query more than once."""
        return self._get("/traces", TraceSummaries, [*query, ("limit", str(limit))])

    def trace(self, trace_id: str) -> Trace:
        """Fetch all spans of a trace."""
        return self._get(f"/traces/{quote(trace_id, safe='')}", Trace)

    def span(self, trace_id: str, span_id: str) -> Span:
        """Fetch one span with all it carries."""
        path = f"/traces/{quote(trace_id, safe='')}/spans/{quote(span_id, safe='')}"
        return self._get(path, Span)

    def _get(
        self, path: str, answer: type[AnswerT], parameters: Sequence[tuple[str, str]] = ()
    ) -> AnswerT:
        return self._ask("GET", path, answer, params=tuple(parameters))

    def _ask(self, method: str, path: str, answer: type[AnswerT], **content: Any) -> AnswerT:  # noqa: ANN401 (httpx's own)
        try:
            response = self._http.request(method, path, **content)
        except httpx.TimeoutException as error:
            raise ApiUnreachableError(
                f"The API at {self.url} did not answer in {self._http.timeout.read:g} s. "
                "Narrow the search, or raise HOTSPAN_UI_API_TIMEOUT_S."
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ApiUnreachableError(f"Nothing answers at {self.url}: {error}") from error
        if response.is_success:
            return self._parse(response, answer)
        raise self._refusal(response)

    def _parse(self, response: httpx.Response, answer: type[AnswerT]) -> AnswerT:
        try:
            return answer.model_validate_json(response.content)
        except ValidationError as error:
            raise ApiRefusedError(
                f"The answer of {response.url.path} is not what this UI understands: is "
                f"{self.url} a hotspan collector of the same version? ({error.error_count()} "
                f"differences, first: {error.errors()[0]['loc']})"
            ) from error

    def _refusal(self, response: httpx.Response) -> ApiError:
        message = _problem_message(response)
        if response.status_code == httpx.codes.NOT_FOUND:
            return NotFoundError(message)
        if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            return ApiRefusedError(
                f"{message} Set HOTSPAN_API_KEY to a key of this collector and start the UI again."
            )
        return ApiRefusedError(message)


def _problem_message(response: httpx.Response) -> str:
    try:
        return Problem.model_validate_json(response.content).message
    except ValidationError:
        return f"The API answered {response.status_code} to {response.url.path}."
