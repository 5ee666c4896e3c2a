"""Who may use the API: whoever has one of its keys, or everybody when it has none."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, HTTPException, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from hotspan_collector.api.backend import CurrentBackend  # noqa: TC001 (read by FastAPI)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import SecretStr

__all__ = ["authorize"]

_BEARER = HTTPBearer(auto_error=False, description="A key of `HOTSPAN_API_KEYS`, when that is set.")


async def authorize(
    backend: CurrentBackend,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> None:
    """Refuse a request that has no key, when keys are set."""
    keys = backend.settings.api_keys
    if keys and (credentials is None or not _matches(credentials.credentials, keys)):
        raise HTTPException(
            status.HTTP_401_UNAUTHORIZED,
            "This API asks for a key: send the header 'Authorization: Bearer KEY' with one of "
            "HOTSPAN_API_KEYS (the command line and the UI read it from HOTSPAN_API_KEY).",
            headers={"WWW-Authenticate": "Bearer"},
        )


def _matches(given: str, keys: Iterable[SecretStr]) -> bool:
    # Every key is compared, each in constant time: the time tells nothing about them.
    found = [hmac.compare_digest(given.encode(), key.get_secret_value().encode()) for key in keys]
    return any(found)
