"""From a violation's opening to a delivered webhook."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from hotspan_collector.alerts import outbox
from hotspan_collector.alerts.sender import Sender
from hotspan_collector.database import Database
from hotspan_collector.errors import StoreUnavailableError
from hotspan_collector.store.port import SpanStore
from support.evaluations import shipped_catalogue
from support.processes import free_port
from support.shop_traces import evaluate, failing_task, order_list

from .conftest import Receiver

_UI = "http://127.0.0.1:8501"


def announce(store: Database, changes) -> None:
    outbox.announce(store, catalogue=shipped_catalogue(), changes=changes, ui_url=_UI)


def opened(store: SpanStore) -> list:
    """Let a violation open, announce it, and return the change."""
    order_list(store)
    changes = list(evaluate(store).changes)
    announce(store, changes)
    return changes


def send(store: Database, url: str, *, max_attempts: int = 20, timeout_s: float = 5) -> int:
    sender = Sender(store, url=url, timeout_s=timeout_s, max_attempts=max_attempts)
    try:
        return asyncio.run(sender.send_due())
    finally:
        sender.close()


def make_due(store: Database) -> None:
    """Let the pause pass."""
    store.execute(
        "INSERT INTO alert_outbox SELECT * REPLACE (now64(3) AS next_attempt_at, revision + 1 AS "
        "revision) FROM alert_outbox FINAL WHERE state = 'pending'"
    )


def states(store: Database) -> list[tuple[str, str, int]]:
    rows = store.rows("SELECT event, state, attempts FROM alert_outbox FINAL ORDER BY created_at")
    return [(row["event"], row["state"], row["attempts"]) for row in rows]


def test_an_opening_is_delivered_once(store: SpanStore, receiver: Receiver):
    """The message arrives, and is not sent again."""
    opened(store)

    assert (send(store, receiver.url), send(store, receiver.url)) == (1, 0)
    assert receiver.told == [("firing", "n_plus_one")]
    assert "select_related" in receiver.requests[0]["commonAnnotations"]["suggestion"]
    assert states(store) == [("opened", "delivered", 1)]


def test_what_is_announced_twice_is_told_once(store: SpanStore, receiver: Receiver):
    """The evaluator may repeat a tick after a failure."""
    changes = opened(store)
    announce(store, changes)

    send(store, receiver.url)
    announce(store, changes)

    assert send(store, receiver.url) == 0
    assert len(receiver.requests) == 1


def test_text_arrives_as_it_was_written(store: SpanStore, receiver: Receiver):
    """Quotes, backslashes and line ends in what the application said do no harm."""
    failing_task(store)
    evaluate(store)
    store.execute(
        "INSERT INTO findings SELECT * REPLACE (map('task', 'a\\n\\'b\\'', 'exception', '\"E\"', "
        "'message', 'C:\\\\\\\\x\\t🎉') AS details) FROM findings"
    )
    store.execute("OPTIMIZE TABLE findings FINAL")
    outbox.announce_missed(store, catalogue=shipped_catalogue(), ui_url=_UI)

    send(store, receiver.url)

    assert "\"E\" in task a 'b': C:\\\\x 🎉" in receiver.requests[0]["commonAnnotations"]["summary"]


def test_a_receiver_that_recovers_gets_the_alert(store: SpanStore, receiver: Receiver):
    """A failure is noted and the alert waits, then goes out."""
    receiver.answers = [(500, {}), (503, {})]
    opened(store)

    send(store, receiver.url)
    at_once = send(store, receiver.url)
    make_due(store)
    send(store, receiver.url)
    make_due(store)
    send(store, receiver.url)

    assert at_once == 0
    assert receiver.told == [("firing", "n_plus_one")] * 3
    assert states(store) == [("opened", "delivered", 3)]


def test_a_receiver_says_when_to_come_back(store: SpanStore, receiver: Receiver):
    """Retry-After is honoured when it asks for more than our own pause."""
    receiver.answers = [(429, {"Retry-After": "1800"})]
    opened(store)
    send(store, receiver.url)

    (row,) = store.rows(
        "SELECT dateDiff('second', now64(3), next_attempt_at) AS wait_s FROM alert_outbox FINAL"
    )

    assert 1700 < row["wait_s"] <= 1800


@pytest.mark.parametrize("status", [400, 404, 301])
def test_a_refusal_is_final_and_visible(store: SpanStore, receiver: Receiver, status):
    """A receiver that refuses, or has moved, is not asked again; the reason is kept."""
    receiver.answers = [(status, {"Location": receiver.url})]
    opened(store)
    send(store, receiver.url)
    make_due(store)

    assert send(store, receiver.url) == 0
    assert len(receiver.requests) == 1
    (row,) = store.rows("SELECT state, last_error FROM alert_outbox FINAL")
    assert (row["state"], row["last_error"].startswith(f"HTTP {status}")) == ("failed", True)
    assert outbox.count_alerts(store) == outbox.Counts(pending=0, failed=1)


def test_an_alert_is_given_up_after_so_many_attempts(store: SpanStore):
    """Nothing listens: after the last attempt the alert counts as failed."""
    url = f"http://127.0.0.1:{free_port()}"
    opened(store)
    for _ in range(3):
        send(store, url, max_attempts=3)
        make_due(store)

    (row,) = store.rows("SELECT state, attempts, last_error FROM alert_outbox FINAL")

    assert (row["state"], row["attempts"]) == ("failed", 3)
    assert "ConnectError" in row["last_error"]


def test_an_address_that_is_none_is_named(store: SpanStore):
    """The error names the setting."""
    opened(store)

    send(store, "no-address")

    (row,) = store.rows("SELECT state, last_error FROM alert_outbox FINAL")
    assert row["last_error"]


def test_a_resolution_waits_for_the_opening_before_it(store: SpanStore, receiver: Receiver):
    """While the opening has not been delivered, the resolution stays."""
    receiver.answers = [(500, {})]
    (change,) = opened(store)
    resolved = type(change)("resolved", change.violation)
    announce(store, [resolved])

    send(store, receiver.url)
    send(store, receiver.url)
    before = list(receiver.told)
    make_due(store)
    send(store, receiver.url)
    send(store, receiver.url)

    assert before == [("firing", "n_plus_one")]
    assert receiver.told == [*before, ("firing", "n_plus_one"), ("resolved", "n_plus_one")]


def test_one_violation_does_not_wait_for_another(store: SpanStore, receiver: Receiver):
    """An alert that is held back holds back only those of its own violation."""
    receiver.answers = [(500, {})]
    order_list(store)
    failing_task(store)
    announce(store, evaluate(store).changes)

    send(store, receiver.url)

    assert sorted(state for _, state, _ in states(store)) == ["delivered", "pending"]


def test_a_delivery_that_was_not_noted_is_sent_again(store: SpanStore, receiver: Receiver):
    """The store fails between delivery and note: better twice than never."""

    class FailsToNote:
        rows, json_bytes = store.rows, store.json_bytes

        def execute(self, sql, parameters=None):
            raise StoreUnavailableError

    opened(store)
    with pytest.raises(StoreUnavailableError):
        send(FailsToNote(), receiver.url)

    send(store, receiver.url)

    assert receiver.told == [("firing", "n_plus_one")] * 2


def test_a_change_that_a_crash_kept_quiet_is_announced_at_the_next_start(
    store: SpanStore, receiver: Receiver
):
    """A violation that opened without an alert gets it; one that has it gets no other."""
    opened(store)
    failing_task(store)
    evaluate(store)

    outbox.announce_missed(store, catalogue=shipped_catalogue(), ui_url=_UI)
    outbox.announce_missed(store, catalogue=shipped_catalogue(), ui_url=_UI)
    send(store, receiver.url)

    assert sorted(receiver.told) == [("firing", "n_plus_one"), ("firing", "task_failure")]


def test_a_killed_collector_keeps_its_alerts(tmp_path: Path, receiver: Receiver):
    """Killed after the delivery and before the note, it sends again when it is started anew."""
    script = Path(__file__).with_name("send_and_die.py")
    runs = [
        subprocess.run(
            [sys.executable, script, tmp_path, receiver.url, how],
            check=False,
            capture_output=True,
            text=True,
            timeout=100,
        )
        for how in ("die", "finish")
    ]

    assert [run.returncode for run in runs] == [-9, 0], [run.stderr[-2000:] for run in runs]
    assert receiver.told == [("firing", "n_plus_one")] * 2
    assert json.loads(runs[1].stdout.splitlines()[-1]) == {"pending": 0, "failed": 0}


def test_the_loop_sends_until_it_is_told_to_stop(store: SpanStore, receiver: Receiver):
    """What is announced while it runs goes out."""

    async def run() -> None:
        sender = Sender(store, url=receiver.url, timeout_s=5, max_attempts=3)
        stopping = asyncio.Event()
        task = asyncio.create_task(sender.run(stopping, every_s=0.02))
        await asyncio.to_thread(opened, store)
        await asyncio.to_thread(receiver.called.wait, 30)
        stopping.set()
        await task
        sender.close()

    asyncio.run(run())

    assert receiver.told == [("firing", "n_plus_one")]
    assert states(store) == [("opened", "delivered", 1)]
