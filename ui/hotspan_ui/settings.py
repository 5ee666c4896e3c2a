"""The settings of the UI: environment variables, each with its default and its reason."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything that can be configured about the UI."""

    model_config = SettingsConfigDict(env_prefix="HOTSPAN_UI_", frozen=True, extra="ignore")

    api_url: str = Field(
        default="http://127.0.0.1:4319",
        validation_alias=AliasChoices("api_url", "HOTSPAN_API_URL"),
        description="Where the collector's API answers.",
    )
    api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("api_key", "HOTSPAN_API_KEY"),
        description="Sent as bearer token, when the API asks for one.",
    )
    api_timeout_s: Annotated[float, Field(gt=0)] = Field(
        default=15.0,
        description="How long a page waits for the API. A search over much data takes seconds.",
    )
    host: str = Field(
        default="127.0.0.1",
        description="Address to listen on. Anything but loopback needs HOTSPAN_UI_PASSWORD.",
    )
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=8501, description="Port to listen on."
    )
    password: SecretStr | None = Field(
        default=None, description="Asked for before any page is shown. Unset: nothing is asked."
    )
    session_hours: Annotated[float, Field(gt=0)] = Field(
        default=168.0, description="How long a browser stays signed in."
    )
    violations_limit: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=200, description="Violations on one page; the worst come first."
    )
    traces_limit: Annotated[int, Field(ge=1, le=500)] = Field(
        default=50, description="Traces on one page of a search."
    )
    status_refresh_s: Annotated[float, Field(ge=1)] = Field(
        default=10.0, description="How often the status line asks the API again."
    )
    trace_cache_s: Annotated[float, Field(ge=0)] = Field(
        default=30.0,
        description="How long a trace is kept, so that a click on a span loads only that span.",
    )

    @property
    def secret_password(self) -> str | None:
        """The password, or None where none is set (an empty one counts as none)."""
        value = self.password.get_secret_value() if self.password else ""
        return value or None


@lru_cache(maxsize=1)
def load() -> Settings:
    """Read the settings once a process."""
    return Settings()
