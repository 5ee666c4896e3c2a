"""The settings that OpenTelemetry has no variable for."""

import dataclasses
from pathlib import Path

import pytest

from hotspan_instrumentation.defaults import DEFAULTS
from hotspan_instrumentation.settings import VARIABLES, Settings, read_settings

DOCS = Path(__file__).parents[2] / "docs" / "instrumentation.md"


def test_every_setting_has_a_variable():
    """Each field of the settings is set by one variable."""
    fields = sorted(field.name for field in dataclasses.fields(Settings))

    assert sorted(variable.field for variable in VARIABLES) == fields


@pytest.mark.parametrize("name", [*(variable.name for variable in VARIABLES), *DEFAULTS])
def test_every_variable_is_documented(name):
    """docs/instrumentation.md has a row for each variable."""
    assert f"| `{name}` |" in DOCS.read_text()


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_documented_text_is_the_code_s(variable):
    """The documentation says of each setting what the code does."""
    assert variable.doc in DOCS.read_text()


def test_values_are_read():
    """Each variable changes its setting."""
    settings = read_settings(
        {
            "HOTSPAN_CALL_SITE": "no",
            "HOTSPAN_APPLICATION_PACKAGES": "shop, shop_core",
            "HOTSPAN_CELERY_BOOKKEEPING": "TRUE",
            "HOTSPAN_FLUSH_TIMEOUT_MS": "500",
        }
    )

    assert settings == Settings(
        call_site=False,
        application_packages=("shop", "shop_core"),
        celery_bookkeeping=True,
        flush_timeout_ms=500,
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("HOTSPAN_CALL_SITE", "perhaps"),
        ("HOTSPAN_FLUSH_TIMEOUT_MS", "2s"),
        ("HOTSPAN_FLUSH_TIMEOUT_MS", "-1"),
    ],
)
def test_nonsense_is_reported(name, text, caplog):
    """A value that cannot be understood is logged, and the default holds: the service starts."""
    settings = read_settings({name: text})

    assert settings == Settings()
    assert f"{name}='{text}' is not understood" in caplog.text
