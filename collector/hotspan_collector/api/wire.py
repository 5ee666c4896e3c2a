"""Base of everything that crosses the wire."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Model"]


class Model(BaseModel):
    """Base of everything that crosses the wire."""

    model_config = ConfigDict(extra="forbid", frozen=True)
