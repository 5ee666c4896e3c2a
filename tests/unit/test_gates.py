"""What decides whether a rule has anything to look at."""

import pytest

from hotspan_collector.errors import StoreRefusedError
from hotspan_collector.rules.gates import Gate, Gates
from hotspan_collector.rules.scratch import Scratch
from support.embedded import shared_store

THINGS = {
    "create_things": "CREATE OR REPLACE TABLE gate_things (n UInt32, kind String) ENGINE = Memory",
    "create_nothing": "CREATE OR REPLACE TABLE gate_nothing (n UInt32) ENGINE = Memory",
}


class Counted:
    """A store that counts the questions it is asked."""

    def __init__(self, store):
        self._store = store
        self.asked = 0

    def rows(self, sql, parameters=None):
        self.asked += 1
        return self._store.rows(sql, parameters)

    def execute(self, sql, parameters=None):
        self._store.execute(sql, parameters)


@pytest.fixture
def database() -> Counted:
    return Counted(shared_store())


@pytest.fixture
def scratch(database: Counted) -> Scratch:
    scratch = Scratch(database, THINGS)
    scratch.execute("INSERT INTO gate_things VALUES (1, 'small'), (9, 'large')")
    return scratch


@pytest.mark.parametrize(
    ("source", "is_open"),
    [
        ("", True),
        ("gate_things", True),
        ("gate_nothing", False),
        ("gate_things WHERE n > {least:UInt32}", True),
        ("gate_things WHERE n > {most:UInt32}", False),
        ("gate_things WHERE kind = 'small' OR n > {most:UInt32}", True),
        ("gate_things WHERE n IN (SELECT n FROM gate_nothing)", False),
        ("gate_things WHERE n > 1 GROUP BY kind HAVING count() > 1", False),
        ("(SELECT 1 FROM gate_nothing UNION ALL SELECT 1 FROM gate_things)", True),
        ("(SELECT 1)", True),
    ],
)
def test_a_gate_is_open_where_there_are_rows(database, scratch, source, is_open):
    """Whether it is asked with others, or alone."""
    gate = Gate(source=source, parameters={"least": 1, "most": 9})
    together = Gates(database, is_empty=scratch.is_empty)
    together.ask([gate, Gate(source="gate_things WHERE n = 9")])

    alone = Gates(database, is_empty=scratch.is_empty)

    assert (together.is_open(gate), alone.is_open(gate)) == (is_open, is_open)


def test_conditions_on_one_table_are_one_question(database, scratch):
    gates = Gates(database, is_empty=scratch.is_empty)
    asked = [
        Gate(source="gate_things WHERE n >= {n:UInt32}", parameters={"n": n}) for n in range(20)
    ]
    database.asked = 0
    gates.ask(asked)

    assert [gates.is_open(gate) for gate in asked].count(True) == 10
    assert database.asked == 1


def test_nothing_is_asked_of_tables_that_are_empty(database, scratch):
    gates = Gates(database, is_empty=scratch.is_empty)
    gate = Gate(source="gate_nothing WHERE n > 1")
    database.asked = 0
    gates.ask([gate])

    assert (gates.is_open(gate), database.asked) == (False, 0)


def test_a_condition_that_is_wrong_spoils_no_other(database, scratch):
    gates = Gates(database, is_empty=scratch.is_empty)
    right, wrong = (
        Gate(source=f"gate_things WHERE {condition}") for condition in ("n = 1", "no_such_column")
    )
    gates.ask([right, wrong])

    assert gates.is_open(right)
    with pytest.raises(StoreRefusedError, match="no_such_column"):
        gates.is_open(wrong)


def test_tables_that_were_filled_are_emptied(database, scratch):
    scratch.empty()

    assert scratch.is_empty("gate_things")
    assert database.rows("SELECT count() AS n FROM gate_things") == [{"n": 0}]
