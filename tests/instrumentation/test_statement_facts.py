"""What is noted of a statement, and told later, is what was true when it was executed."""

import datetime as dt
import decimal
import uuid

import pytest

from hotspan_instrumentation import statement_facts
from hotspan_instrumentation.attribute_group import AttributeGroup
from hotspan_instrumentation.keyed_hash import hash_of_key, hash_of_values, hashes_of_values
from hotspan_instrumentation.orm_query import QUERY_FIELD, note_relation
from hotspan_instrumentation.statement_attributes import Statement
from hotspan_instrumentation.statement_facts import DJANGO_CONNECTION_FIELD, StatementFacts

STATEMENT = Statement("SELECT", "SELECT ?", ("'a'",), AttributeGroup({"db.query.text": "SELECT ?"}))


def _hashes(*arguments, many=False, **keywords):
    facts = StatementFacts(STATEMENT)
    facts.note_parameters(("SELECT ?", *arguments), keywords, many=many)
    return facts


@pytest.mark.parametrize(
    "parameters",
    [
        *((), (7,), [7, "seven"], ("x" * 100,), ("x" * 101,), tuple(range(9)), {"id": 7}),
        *((True,), (1.5, None), (uuid.UUID(int=7), dt.date(2026, 1, 1)), (decimal.Decimal(7),)),
        *((b"7", bytearray(b"7")), ([1, 2],)),
    ],
    ids=repr,
)
def test_hashes_are_the_same_whenever_they_are_made(parameters):
    """Whether parameters are hashed at once or later makes no difference to the hashes."""
    attributes = _hashes(parameters).attributes()

    assert attributes["hotspan.db.param_hash"] == hash_of_values(parameters, literals=("'a'",))
    assert attributes.get("hotspan.db.param_hashes") == hashes_of_values(parameters)


def test_what_is_equal_and_not_the_same():
    """1, True, 1.0 and "1" are different parameters, though some of them are equal."""
    found = {
        _hashes((value,)).attributes()["hotspan.db.param_hash"] for value in (1, True, 1.0, "1")
    }

    assert len(found) == 4


@pytest.mark.parametrize("parameters", [[7, 8], [[7, 8]], [bytearray(b"seven")]], ids=repr)
def test_what_changes_afterwards(parameters):
    """What the application does with its parameters after the statement is not seen."""
    expected = hash_of_values(parameters, literals=("'a'",))
    facts = _hashes(parameters)
    inner = parameters[0]
    parameters.append(9)
    if not isinstance(inner, int):
        inner.append(9)

    assert facts.attributes()["hotspan.db.param_hash"] == expected


def test_values_of_unknown_types_are_not_kept():
    """Only what cannot change, and is not large, is kept until it is told."""
    kept = [_hashes(each).parameters for each in ((7, "a"), (object(),), ("x" * 200,), (b"7",))]

    assert kept == [(7, "a"), None, None, None]


def test_what_is_remembered_is_bounded(monkeypatch):
    """Ever new parameters do not fill the memory."""
    monkeypatch.setattr(statement_facts, "_MAX_REMEMBERED", 10)
    for number in range(30):
        _hashes((number,)).attributes()

    assert len(statement_facts._groups) <= 10


class Holder:
    """An object that takes attributes, as a driver's cursor or Django's connection does."""


@pytest.fixture
def follow():
    """Return what is told of a statement that follows a relation with these keys."""

    def follow(source, target):
        queryset, cursor, connection = Holder(), Holder(), Holder()
        queryset._query = query = Holder()
        note_relation(queryset, ("shop.Item", "product", source, "shop.Product", target))
        connection.alias, connection.in_atomic_block, connection.savepoint_ids = "other", True, []
        setattr(connection, QUERY_FIELD, query)
        setattr(cursor, DJANGO_CONNECTION_FIELD, connection)
        facts = StatementFacts(STATEMENT)
        facts.note_django(cursor, None)
        connection.in_atomic_block = False
        return facts.attributes()

    return follow


@pytest.mark.parametrize(
    ("source", "target"), [(1, 2), ("a", uuid.UUID(int=2)), ((1, 2), decimal.Decimal(3))], ids=repr
)
def test_relations(follow, source, target):
    """A relation is told with its keys' hashes, whatever they are; the rest as it was then."""
    assert follow(source, target) == {
        "db.query.text": "SELECT ?",
        "hotspan.db.alias": "other",
        "hotspan.db.in_transaction": True,
        "hotspan.orm.model": "shop.Item",
        "hotspan.orm.relation": "product",
        "hotspan.orm.source_key": hash_of_key("shop.Item", source),
        "hotspan.orm.target_key": hash_of_key("shop.Product", target),
    }
