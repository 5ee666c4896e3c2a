"""A collector's alerts in a process that may die after a delivery: DIRECTORY URL die|finish."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from hotspan_collector.alerts import outbox
from hotspan_collector.alerts.sender import Sender
from hotspan_collector.rules.catalogue import load_catalogue
from hotspan_collector.settings import Settings
from hotspan_collector.store import open_store
from support.shop_traces import evaluate, order_list


class DiesInsteadOfNoting:
    """A database that ends the process at the first write."""

    def __init__(self, database):
        self.rows = database.rows
        self.json_bytes = database.json_bytes

    def execute(self, sql, parameters=None):
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    directory, url, how = sys.argv[1:]
    store = open_store(Settings(data_dir=Path(directory)))
    database = store
    if how == "die":
        order_list(store)
        changes = evaluate(store).changes
        outbox.announce(store, catalogue=load_catalogue(), changes=changes, ui_url="http://ui")
        database = DiesInsteadOfNoting(store)
    sender = Sender(database, url=url, timeout_s=5, max_attempts=3)
    asyncio.run(sender.send_due())
    sender.close()
    sys.stdout.write(json.dumps(asdict(outbox.count_alerts(store))))
    store.close()


main()
