"""What the tests of the UI share: a sample API, and the settings that point to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import streamlit as st

from hotspan_ui import settings
from ui import sample_api

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ui.sample_api import SampleApi


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[SampleApi]:
    with sample_api.serve() as serving:
        monkeypatch.setenv("HOTSPAN_API_URL", serving.url)
        settings.load.cache_clear()
        yield serving
    settings.load.cache_clear()
    st.cache_resource.clear()
