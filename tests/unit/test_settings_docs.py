import runpy
import tomllib
from pathlib import Path

from hotspan_collector.rules.catalogue import load_catalogue
from hotspan_collector.settings import Settings

_DOCS = Path(__file__).parents[2] / "docs"


def test_every_setting_stands_in_the_documentation_as_it_is():
    """After a change: `python docs/collector_settings.py`."""
    page = (_DOCS / "operations.md").read_text(encoding="utf-8")
    with_settings = runpy.run_path(str(_DOCS / "collector_settings.py"))["with_settings"]

    assert with_settings(page) == page


def test_every_setting_is_described():
    """A name alone does not say what happens."""
    described = [name for name, field in Settings.model_fields.items() if field.description]

    assert described == list(Settings.model_fields)


def test_the_example_of_a_settings_file_works(tmp_path):
    """Rules and settings that it names exist."""
    page = (_DOCS / "operations.md").read_text(encoding="utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    settings = Settings(**tomllib.loads(example))
    catalogue = load_catalogue(values=settings.rules, disabled=settings.rules_disabled)

    assert catalogue.rules["n_plus_one"].values["min_count"] == 20
    assert "query_budget" not in catalogue.rules
