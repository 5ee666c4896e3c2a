"""Stores a request in a new embedded store whose files are not compressed: for a look at them.

Called as a process of its own, since one has one store: DIRECTORY, and a file with a request.
"""

import sys
from pathlib import Path

from hotspan_collector.settings import load_settings
from hotspan_collector.store import open_store

_COLUMNS = """
SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = 'spans'
"""


def main(directory: str, request: str) -> None:
    """Open, store, close."""
    store = open_store(load_settings(data_dir=Path(directory)))
    for column in store.rows(_COLUMNS):
        name, kind = column["name"], column["type"]
        store.execute(f"ALTER TABLE spans MODIFY COLUMN `{name}` {kind} CODEC(NONE)")
    store.insert_spans(Path(request).read_bytes(), token="clear")
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
