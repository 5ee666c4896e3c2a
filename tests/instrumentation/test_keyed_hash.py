"""Hashes say whether values are the same, and nothing else."""

import datetime as dt
import decimal
import enum
import os
import subprocess
import sys
import uuid

import pytest
from psycopg.types.json import Jsonb

from hotspan_instrumentation.keyed_hash import hash_of_key, hash_of_values, keyed_hash

_PRINT_HASH = (
    "from hotspan_instrumentation.keyed_hash import hash_of_values\n"
    "print(hash_of_values(('jane', 1)), end='')"
)


class Colour(enum.IntEnum):
    RED = 1


class Explosive:
    def __repr__(self):
        raise AssertionError("looked at")

    __str__ = __repr__
    __iter__ = __repr__
    __len__ = __repr__


def hashed_elsewhere(**environment):
    answer = subprocess.run(
        [sys.executable, "-c", _PRINT_HASH],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return answer.stdout


@pytest.mark.parametrize(
    "values",
    [
        (1, 2.5, True, None, "text", b"bytes"),
        (dt.datetime(2026, 1, 2, tzinfo=dt.UTC), dt.date(2026, 1, 2), dt.timedelta(seconds=3)),
        (decimal.Decimal("1.50"), uuid.UUID(int=7)),
        ([1, 2, ["a"]], {"b": 1}),
        (memoryview(b"x"), bytearray(b"y")),
        (Jsonb({"a": [1, None]}),),
        {"name": "jane", "id": 1},
        None,
    ],
)
def test_known_values(values):
    """What drivers are given can be hashed, and the hash is the same each time."""
    hashes = {hash_of_values(values), hash_of_values(values)}

    (found,) = hashes
    assert len(found) == 16


@pytest.mark.parametrize(
    ("some", "others"),
    [
        ((1,), (2,)),
        ((1, 2), (12,)),
        (("1",), (1,)),
        (("a", "b"), ("ab",)),
        (("x" * 9000 + "a" + "y" * 9000,), ("x" * 9000 + "y" * 9000,)),
        ({"a": 1}, {"b": 1}),
        ((Jsonb({"a": 1}),), (Jsonb({"a": 2}),)),
    ],
)
def test_other_values(some, others):
    """Other values have another hash."""
    assert hash_of_values(some) != hash_of_values(others)


def test_the_same_in_other_clothes():
    """A list or a tuple, a number or an enumeration of it: the same parameters."""
    hashes = {hash_of_values((1,)), hash_of_values([1]), hash_of_values((Colour.RED,))}

    assert len(hashes) == 1


def test_literals_count():
    """Literals of the statement are a part of what is hashed."""
    assert hash_of_values((1,), literals=("'a'",)) != hash_of_values((1,), literals=("'b'",))


def test_unknown_objects_are_not_looked_at():
    """An object of an unknown type is neither printed nor walked: there is no hash."""
    assert hash_of_values((1, Explosive())) is None
    assert hash_of_values(([Explosive()],)) is None
    assert hash_of_key("shop.Order", Explosive()) is None


def test_the_key_decides():
    """Processes with the same key have the same hashes, others not."""
    first, again, other = (
        hashed_elsewhere(HOTSPAN_HASH_KEY=key) for key in ("one", "one", "x" * 100)
    )

    assert first == again != other


def test_children_share_the_key():
    """Without a key set by the user one is made, and child processes get it."""
    keyed_hash("anything")

    assert hashed_elsewhere() == hash_of_values(("jane", 1))
