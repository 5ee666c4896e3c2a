"""The pages about performance say what was measured."""

import json
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_BENCHMARKS = _ROOT / "tests" / "benchmarks"


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> dict:
    """What was last measured; modules of the benchmarks can be imported meanwhile."""
    monkeypatch.syspath_prepend(_BENCHMARKS)
    return json.loads((_BENCHMARKS / "results" / "latest.json").read_text("utf-8"))


def test_scaling_is_computed_from_what_was_measured(results: dict):
    """`docs/scaling.md` is what the last results give, to the letter."""
    from scaling import scaling_page  # noqa: PLC0415 (see `results`)

    assert (_ROOT / "docs" / "scaling.md").read_text("utf-8") == scaling_page(results)


def test_twice_the_cost_needs_twice_the_cores(results: dict):
    """Nothing on the page is written by hand."""
    from scaling import scaling_page  # noqa: PLC0415 (see `results`)

    results["rotel"]["hotspan"] |= {
        "collector_cpu_us_per_span": 6.0,
        "cpu_us_per_span": 18.0,
        "bytes_per_span": 20.0,
        "peak_memory_mib": 512,
    }
    results["evaluation"]["cpu_us_per_span"] = 3.0

    page = scaling_page(results)

    assert "| 10 cores; a process uses little more than one: 10 processes, 5 GiB |" in page
    assert "| 20 cores: 2 shards of 16 cores |" in page
    assert "| 5 cores |" in page
    assert "| 52 TB, 2 copies 104 TB |" in page


def test_performance_tells_of_rotel_and_of_much_stored(results: dict, tmp_path: Path):
    """With numbers of both, and where the goals are."""
    from report import write_report  # noqa: PLC0415 (see `results`)

    write_report(results, tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text("utf-8")

    ours = results["rotel"]["hotspan"]["spans_per_s"]
    assert f"| spans stored a second | {ours:,} | " in page
    assert [each["question"] in page for each in results["at_scale"]["questions"]] == [True] * 4
