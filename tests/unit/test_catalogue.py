import re
from importlib.resources import files
from string import Formatter

import pytest

from hotspan_collector.errors import ConfigurationError
from hotspan_collector.rules.catalogue import COLUMNS, load_catalogue, parse_rule

RULES = load_catalogue().rules
STRUCTURAL = [rule for rule in RULES.values() if rule.kind == "structural"]
# What rules share: some take details and suggestion from there.
INPUTS = "\n".join(
    item.read_text("utf-8")
    for item in files("hotspan_collector.rules").joinpath("inputs").iterdir()
)
GIVEN_BY_EVALUATOR = {"since_ms:Int64"}

# What the API adds to the details of every finding.
ALWAYS_KNOWN = {"statement", "entry", "service", "count", "wasted"}

RULE = """/*
id = "slow"
title = "Slow"
finds = "Slow things."
why = "Time."
needs = ["a.b"]
opens_at_once = true
critical_hits_per_hour = 0
summary = "{count} slow, {wasted}"

[settings.limit_ms]
type = "Float64"
default = 20
unit = "ms"
reason = "Enough."

[suggestions]
only = "Make {what} fast."
*/
SELECT 1;
"""


def parse(text: str = RULE, **values):
    return parse_rule(text, source="slow.sql", values=values)


def test_a_rule_is_one_file():
    """Metadata stands in front, as TOML in a comment; the rest is the statement."""
    rule = parse()

    assert (rule.id, rule.needs, rule.opens_at_once, rule.sql) == (
        "slow",
        ("a.b",),
        True,
        "SELECT 1",
    )
    assert rule.values == {"limit_ms": 20}


def test_a_setting_can_be_given():
    """A value of the same kind replaces the default."""
    assert parse(limit_ms=0.5).values == {"limit_ms": 0.5}


@pytest.mark.parametrize("value", ["20", True, -1, None, [20]])
def test_a_value_must_fit(value):
    """The message names rule and setting, and shows a value that fits."""
    with pytest.raises(ConfigurationError, match=r"\[rules\.slow\] limit_ms = .*for example 20"):
        parse(limit_ms=value)


def test_a_whole_number_must_be_whole():
    """A count is no fraction."""
    with pytest.raises(ConfigurationError, match="expected UInt32"):
        parse(RULE.replace("Float64", "UInt32"), limit_ms=1.5)


def test_an_unknown_setting_is_named():
    """The message lists the settings that there are."""
    with pytest.raises(ConfigurationError, match=r"no setting limit\. It has: limit_ms"):
        parse(limit=3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT 1", "does not begin with a comment"),
        ("/*\nid = \n*/\nSELECT 1", "is not a rule"),
        ("/*\nid = 'a'\n*/\nSELECT 1", "is not a rule"),
        (RULE.replace('why = "Time."\n', ""), "is not a rule"),
        (RULE.replace('why = "Time."', 'why = "Time."\nwho = "You."'), "is not a rule"),
        (RULE.replace('unit = "ms"\n', ""), "is not a rule"),
        (RULE.replace("Float64", "Decimal"), "is not a rule"),
    ],
)
def test_a_file_that_is_no_rule_is_named(text, message):
    """Whoever writes a rule is told which file is wrong."""
    with pytest.raises(ConfigurationError, match=message) as refusal:
        parse(text)

    assert "slow.sql" in str(refusal.value)


def test_templates_are_filled_with_what_is_known():
    """A value that a finding lacks is left out, visibly."""
    rule = parse()

    assert rule.suggest("only", {}) == "Make … fast."
    assert rule.suggest("only", {"what": "it"}) == "Make it fast."
    assert rule.summarise(3, 1234, {}) == "3 slow, 1.2 s"
    assert rule.summarise(3, 12.4, {}) == "3 slow, 12 ms"
    assert rule.summarise(3, 1.24, {}) == "3 slow, 1.2 ms"


def test_values_are_not_templates():
    """Braces in what a finding holds are text."""
    assert parse().suggest("only", {"what": "{count} {0} {x.__class__}"}) == (
        "Make {count} {0} {x.__class__} fast."
    )


def test_the_catalogue_has_the_first_three_rules():
    """Rules that come with hotspan."""
    assert {"n_plus_one", "slow_external_call", "task_failure"} <= RULES.keys()


def test_a_rule_can_be_disabled_and_set():
    """The rest of the catalogue stays."""
    catalogue = load_catalogue(
        values={"n_plus_one": {"min_count": 7}}, disabled=["slow_external_call"]
    )

    assert catalogue.rules["n_plus_one"].values["min_count"] == 7
    assert RULES.keys() - catalogue.rules.keys() == {"slow_external_call"}


@pytest.mark.parametrize("options", [{"disabled": ["n_plus_1"]}, {"values": {"n_plus_1": {}}}])
def test_an_unknown_rule_is_named(options):
    """A typing mistake must not leave a rule running, or at its default."""
    with pytest.raises(ConfigurationError, match=r"no rule n_plus_1\. There are: .*n_plus_one"):
        load_catalogue(**options)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_templates_name_only_what_the_sql_provides(rule):
    """No suggestion or summary ever shows a hole."""
    provided = ALWAYS_KNOWN | detail_keys(rule.sql)
    templates = [rule.summary, *rule.suggestions.values()]
    named = {field for text in templates for _, field, *_ in Formatter().parse(text) if field}

    assert named - provided == set()


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_the_sql_chooses_among_the_suggestions(rule):
    """Every suggestion can be chosen: its key is a literal in the SQL, or in what rules share."""
    chosen = set(re.findall(r"'(\w+)'", rule.sql + INPUTS))

    assert rule.suggestions.keys() <= chosen


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_the_sql_names_no_parameter_but_settings(rule):
    """Each setting reaches the statement with its type, and each parameter is a setting."""
    used = set(re.findall(r"\{(\w+:\w+)\}", rule.sql))
    provided = {f"{name}:{setting.type}" for name, setting in rule.settings.items()}

    assert used - provided - GIVEN_BY_EVALUATOR == set()


@pytest.mark.parametrize("rule", STRUCTURAL, ids=lambda rule: rule.id)
def test_every_setting_of_a_structural_rule_is_used(rule):
    """A setting that changes nothing would mislead."""
    unused = [name for name in rule.settings if f"{{{name}:" not in rule.sql]

    assert unused == []


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_the_sql_returns_what_the_evaluator_takes(rule):
    """All columns are there; their names are all that the evaluator knows of a rule."""
    missing = [name for name in COLUMNS if not re.search(rf"\b{name}\b", rule.sql)]

    assert missing == []


def detail_keys(sql: str) -> set[str]:
    """Return the keys of the map that becomes `details`, made here or by the shared input."""
    end = sql.find("AS details")
    text = INPUTS if end < 0 else sql[sql.rindex("map(", 0, end) : end]
    return set(re.findall(r"'(\w+)',", text))
