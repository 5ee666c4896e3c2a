"""Rules of the user's own, from a folder or a package; errors name file and line."""

import shutil
from pathlib import Path

import pytest

from hotspan_collector.errors import ConfigurationError
from hotspan_collector.rules.catalogue import load_catalogue

RULE = """/*
id = "many_calls"
title = "Many calls"
finds = "Entries that make many calls."
why = "Each waits for the network."
needs = []
opens_at_once = true
critical_hits_per_hour = 0
summary = "{count} calls"

[settings.max_calls]
type = "UInt32"
default = 3
unit = "calls"
reason = "Enough."

[suggestions]
only = "Make fewer."
*/
SELECT
    trace_id, entry_span_id, '' AS identity, 'warning' AS severity, 'high' AS confidence,
    http_calls AS count, http_time_ns AS wasted_ns, '' AS statement, map('a', 'b') AS details,
    [] AS missing, [entry_span_id] AS span_ids, 'only' AS suggestion,
    '' AS code_file, 0 AS code_line, '' AS code_function
FROM rule_entries
WHERE http_calls > {max_calls:UInt32}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "many_calls.sql").write_text(RULE)
    return tmp_path


def test_a_folder_adds_rules(folder: Path):
    """They have settings and scopes as those of hotspan, and say where they are from."""
    values = {"many_calls": {"max_calls": 7, "where": [{"kind": "task", "max_calls": 50}]}}

    rule = load_catalogue(folder=folder, values=values).rules["many_calls"]

    assert (rule.kind, rule.values, rule.origin) == (
        "structural",
        {"max_calls": 7},
        str(folder / "many_calls.sql"),
    )
    assert rule.scopes[0].values == {"max_calls": 50}


def test_a_rule_says_that_it_is_about_windows(folder: Path):
    """Those that come with hotspan stand in a folder for that."""
    (folder / "many_calls.sql").write_text(RULE.replace("title", 'kind = "window"\ntitle', 1))

    assert load_catalogue(folder=folder).rules["many_calls"].kind == "window"


def test_a_package_adds_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """By the entry point hotspan.rules, which names the module beside which the files stand."""
    package = tmp_path / "acme_rules"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "many_calls.sql").write_text(RULE)
    metadata = tmp_path / "acme_rules-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-rules\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[hotspan.rules]\nacme = acme_rules\n")
    monkeypatch.syspath_prepend(tmp_path)

    rule = load_catalogue().rules["many_calls"]

    assert rule.origin == "acme_rules/many_calls.sql"


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("/*", "--", 1, "does not begin with a comment"),
        ('why = "Each', "why = Each", 5, "is not a rule"),
        ('why = "Each waits for the network."\n', "", 2, "why is missing"),
        ("needs = []", "needs = []\nwho = 1", 7, "there is no who"),
        ("needs = []", 'needs = []\nkind = "weekly"', 7, "structural, window"),
        ('unit = "calls"\n', "", 11, "[settings.max_calls]"),
        ("default = 3", 'default = "3"', 11, "expected UInt32"),
        ('id = "many_calls"', 'id = "Many calls"', 2, "lower case"),
        ('id = "many_calls"', 'id = "few_calls"', 1, "name the file few_calls.sql"),
        ("'' AS identity,", "", 1, "returns no identity"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_line(folder: Path, old, new, line, said):
    """A collector does not start with a rule that would not run."""
    path = folder / "many_calls.sql"
    path.write_text(RULE.replace(old, new, 1))

    with pytest.raises(ConfigurationError) as refusal:
        load_catalogue(folder=folder)

    assert str(refusal.value).startswith(f"{path}:{line}: ")
    assert said in str(refusal.value)


def test_ids_do_not_collide(folder: Path):
    """A rule of one's own does not replace one of hotspan's unnoticed."""
    text = RULE.replace('id = "many_calls"', 'id = "n_plus_one"')
    (folder / "n_plus_one.sql").write_text(text)

    with pytest.raises(ConfigurationError, match="n_plus_one already, of hotspan itself"):
        load_catalogue(folder=folder)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    """A typing mistake must not leave all rules out."""
    with pytest.raises(ConfigurationError, match="HOTSPAN_RULES_DIR"):
        load_catalogue(folder=tmp_path / "rlues")


def test_while_running_a_bad_file_leaves_its_rule_as_it_was(folder: Path):
    """The others are read anew, and the problem is told."""
    running = load_catalogue(folder=folder)
    (folder / "many_calls.sql").write_text(RULE.replace("why =", "why", 1))
    other = RULE.replace("many_calls", "other_calls")
    (folder / "other_calls.sql").write_text(other)
    shutil.copy(folder / "other_calls.sql", folder / "broken.sql")

    reread = load_catalogue(folder=folder, known=running)

    assert reread.rules["many_calls"] == running.rules["many_calls"]
    assert "other_calls" in reread.rules
    assert "broken" not in reread.rules
    assert [each.partition(": ")[0] for each in reread.problems] == [
        f"{folder}/broken.sql:1",
        f"{folder}/many_calls.sql:5",
    ]
