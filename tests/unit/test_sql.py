import pytest

from hotspan_collector.sql import load_blocks, split_statements

SQL_FILES = [
    ("hotspan_collector.rules", "evaluate.sql"),
    ("hotspan_collector.rules", "touched.sql"),
    ("hotspan_collector.rules", "violations.sql"),
    ("hotspan_collector.store", "migrate.sql"),
    ("hotspan_collector.store", "insert_spans.sql"),
]


@pytest.mark.parametrize(("package", "filename"), SQL_FILES)
def test_every_block_is_one_statement(package, filename):
    """A block is sent to the store as it is, so it holds something, and ends without semicolon."""
    blocks = load_blocks(package, filename)

    assert blocks
    for statement in blocks.values():
        assert statement == statement.strip()
        assert statement
        assert not statement.endswith(";")


def test_a_block_holds_what_stands_below_its_name():
    """Comments of a block stay in it; its neighbours do not."""
    block = load_blocks("hotspan_collector.store", "migrate.sql")["applied_migrations"]

    assert block == "SELECT DISTINCT name FROM schema_migrations"


@pytest.mark.parametrize(
    ("script", "statements"),
    [
        ("", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1;", ["SELECT 1"]),
        ("SELECT 1;\nSELECT 2;\n", ["SELECT 1", "SELECT 2"]),
        ("SELECT 1;\n\nSELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';' AS a;\nSELECT 2;", ["SELECT ';' AS a", "SELECT 2"]),
        ("-- why; and how;\nSELECT 1;", ["-- why; and how;\nSELECT 1"]),
        ("SELECT 1,\n  2;  \nSELECT 3;", ["SELECT 1,\n  2", "SELECT 3"]),
    ],
)
def test_scripts_are_split_where_a_semicolon_ends_a_line(script, statements):
    """Semicolons in comments and in the middle of a line split nothing."""
    assert statements == split_statements(script)
