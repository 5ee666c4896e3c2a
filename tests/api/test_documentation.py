"""The written description of the API does not drift from what it is."""

import re
from pathlib import Path

import httpx
import pytest

from hotspan_collector.settings import Settings

_TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def test_every_route_is_documented(api: httpx.Client):
    """And no route is documented that is not there."""
    paths = api.get("/openapi.json").json()["paths"]
    routes = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}

    assert set(re.findall(r"`((?:GET|POST|PUT|DELETE) /[^`]+)` \|", _TEXT)) == routes


def test_every_parameter_is_documented(api: httpx.Client):
    """Names of filters stand in the table of routes."""
    paths = api.get("/openapi.json").json()["paths"]
    operations = [each for path in paths.values() for each in path.values()]
    names = {
        each["name"]
        for operation in operations
        for each in operation.get("parameters", [])
        if each["in"] == "query"
    }

    assert {name for name in names if f"`{name}`" not in _TEXT} == set()


@pytest.mark.parametrize(
    ("setting", "default"), re.findall(r"\| `HOTSPAN_(\w+)` \| (\d+) \|", _TEXT)
)
def test_defaults_are_documented_as_they_are(setting, default):
    """A changed default changes the page."""
    assert Settings.model_fields[setting.lower()].default == int(default)
