"""How much a list returns at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from hotspan_collector.api.problems import BadParameterError

__all__ = ["Limit", "page_size"]

Limit = Annotated[
    int, Query(ge=1, description="Most that is returned; the setting `api_max_page` bounds it.")
]


def page_size(limit: int, *, most: int) -> int:
    """Return `limit` when it is allowed.

    Raises:
        BadParameterError: it is more than `most`.

    """
    if limit > most:
        raise BadParameterError(
            f"query parameter limit = {limit}: at most {most} (setting HOTSPAN_API_MAX_PAGE)."
        )
    return limit
