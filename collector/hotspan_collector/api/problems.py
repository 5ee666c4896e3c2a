"""Errors as answers: always a `Problem` that says what to do, never a traceback."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import HTTPException, Request, status
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from hotspan_collector.api.models import Problem
from hotspan_collector.api.workers import BusyError
from hotspan_collector.errors import HotspanError, StoreRefusedError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI

__all__ = [
    "BadParameterError",
    "ConflictError",
    "NotFoundError",
    "answer_errors_as_problems",
    "problem",
]

_LOG = structlog.get_logger(__name__)
_RETRY_AFTER_S = "5"
_CODES = {
    status.HTTP_401_UNAUTHORIZED: "unauthorized",
    status.HTTP_404_NOT_FOUND: "not_found",
    status.HTTP_405_METHOD_NOT_ALLOWED: "method_not_allowed",
}


class NotFoundError(HotspanError):
    """Nothing is stored under this id."""


class BadParameterError(HotspanError):
    """A parameter has a value that cannot be used."""


class ConflictError(HotspanError):
    """What was asked for cannot be done in this state."""


def problem(
    status_code: int, *, code: str, message: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return an error answer."""
    content = Problem(code=code, message=message).model_dump()
    return JSONResponse(content, status_code=status_code, headers=headers)


def answer_errors_as_problems(app: FastAPI) -> None:
    """Turn every error that leaves a route into a `Problem`."""
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(StarletteHTTPException, _http_error)
    app.add_exception_handler(HotspanError, _hotspan_error)
    app.add_exception_handler(Exception, _unexpected)


async def _bad_request(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, RequestValidationError)  # noqa: S101 (registered for it)
    message = "; ".join(_explain(each) for each in error.errors())
    return problem(status.HTTP_400_BAD_REQUEST, code="bad_parameter", message=f"{message}.")


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException | StarletteHTTPException)  # noqa: S101 (registered for it)
    code = _CODES.get(error.status_code, "error")
    message = str(error.detail)
    if message == "Not Found":
        message = (
            f"There is nothing at {request.url.path}. /api/v1/openapi.json says what there is."
        )
    return problem(error.status_code, code=code, message=message, headers=error.headers)


async def _hotspan_error(request: Request, error: Exception) -> JSONResponse:
    match error:
        case NotFoundError():
            return problem(status.HTTP_404_NOT_FOUND, code="not_found", message=str(error))
        case ConflictError():
            return problem(status.HTTP_409_CONFLICT, code="conflict", message=str(error))
        case BadParameterError():
            return problem(status.HTTP_400_BAD_REQUEST, code="bad_parameter", message=str(error))
        case BusyError() | StoreUnavailableError():
            code = "busy" if isinstance(error, BusyError) else "store_unavailable"
            _LOG.warning("api_unavailable", path=request.url.path, code=code, reason=str(error))
            return problem(
                status.HTTP_503_SERVICE_UNAVAILABLE,
                code=code,
                message=f"{_first_line(error)} Try again in {_RETRY_AFTER_S} s; narrow the time "
                "range if it keeps failing.",
                headers={"Retry-After": _RETRY_AFTER_S},
            )
        case StoreRefusedError():
            _LOG.error("store_refused", path=request.url.path, reason=str(error))
            return problem(
                status.HTTP_500_INTERNAL_SERVER_ERROR,
                code="store_refused",
                message="The store refused the query. The collector's log has its reason "
                "(event store_refused).",
            )
        case _:
            return await _unexpected(request, error)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    # Formatted here: a renderer that adds local variables can take many seconds.
    trace = "".join(traceback.format_exception(error))
    _LOG.error("api_failed", path=request.url.path, error=repr(error), traceback=trace)
    return problem(
        status.HTTP_500_INTERNAL_SERVER_ERROR,
        code="internal",
        message="The collector made a mistake. Its log has the details (event api_failed); please "
        "report them.",
    )


def _explain(error: Mapping[str, Any]) -> str:
    place, *rest = (str(part) for part in error["loc"])
    name = ".".join(rest) or place
    given = error.get("input")
    shown = f" = {given!r}" if isinstance(given, str | int | float) else ""
    return f"{place} parameter {name}{shown}: {error['msg']}"


def _first_line(error: Exception) -> str:
    # What follows in ClickHouse's messages is the query and its stack.
    line = str(error).partition("\n")[0][:300].strip()
    return line if line.endswith(".") else f"{line}."
