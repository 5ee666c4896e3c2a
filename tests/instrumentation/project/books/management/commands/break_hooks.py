"""Use the project in all ways, with each of hotspan's hooks broken in turn.

To be run by tests/support/broken_hooks.py. Says what differed from a run with whole hooks.
"""

import builtins
import io
import json
import time
from functools import partial

import psycopg
from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.test import Client
from opentelemetry import trace

from books import outcomes, tasks
from books.management.commands import query_cases
from hotspan_instrumentation.flush import TaskFlusher

PAGES = (
    *("books", "async-books", "pages/text", "pages/listing", "pages/absent", "pages/forbidden"),
    *("pages/broken", "pages/stream", "pages/async_stream", "pages/broken_stream", "pages/cached"),
    *("pages/cached_async", "pages/slow_cache", "pages/rendered", "pages/rendered_by_jinja"),
    *("pages/signed_in", "pages/of_a_user", "calls/impatient", "calls/asynchronous"),
    *("calls/retried", "calls/in_transaction", "calls/in_signal", "calls/secrets"),
    *("calls/letter", "calls/by_aiohttp", "calls/by_botocore"),
)

tracer = trace.get_tracer("bookshop")
client = Client(raise_request_exception=False, SERVER_NAME="127.0.0.1")


def page(name):
    answer = client.get(f"/{name}/")
    if not answer.streaming:
        return answer.status_code, answer.content.decode()
    if answer.is_async:
        return answer.status_code, async_to_sync(all_of)(answer)
    return answer.status_code, [part.decode() for part in answer]


async def all_of(answer):
    return [part.decode() async for part in answer]


def query_case(case):
    with tracer.start_as_current_span("case", kind=trace.SpanKind.SERVER):
        return case()


def task(name):
    result = getattr(outcomes, name).apply()
    return result.state, repr(result.result)


def publish():
    return len(tasks.buy.apply_async((1,)).id)


def command():
    call_command("close", "error", stdout=io.StringIO())


def flush():
    TaskFlusher(pause_ms=1).request()
    time.sleep(0.02)  # for its thread


def broken_cursor():
    with connection.chunked_cursor() as cursor:
        cursor.execute("SELECT no_such_column FROM books_book")


def by_an_asynchronous_driver():
    async def ask():
        given = connection.get_connection_params()
        where = {key: given[key] for key in ("dbname", "host", "port", "user") if key in given}
        async with await psycopg.AsyncConnection.connect(**where) as opened:
            cursor = await opened.execute("SELECT count(*) FROM books_book WHERE id > %s", (0,))
            return await cursor.fetchall()

    return async_to_sync(ask)()


CASES = {
    **{name: partial(page, name) for name in PAGES},
    **{case.__name__: partial(query_case, case) for case in query_cases.CASES},
    **{name: partial(task, name) for name in ("succeed", "fail", "fail_as_expected", "try_again")},
    "publish": publish,
    "flush": flush,
    "command": command,
    "reconnect": connection.close,
}
ON_POSTGRESQL = {
    **{case.__name__: partial(query_case, case) for case in query_cases.CASES},
    "broken_cursor": partial(query_case, broken_cursor),
    "asynchronous_driver": partial(query_case, by_an_asynchronous_driver),
}


def outcome(case):
    """What a case ends in, whatever that is."""
    try:
        return repr(case())
    except Exception as error:  # noqa: BLE001 - it is what is asked for
        return type(error).__name__  # what it says may have the name of a cursor in it


class Command(BaseCommand):
    help = "Break each hook, and say what differs."

    def handle(self, *args, **options):
        sabotage = builtins.sabotage  # tests/support/broken_hooks.py leaves it there
        query_cases.Command().prepare()
        cases = ON_POSTGRESQL if connection.vendor == "postgresql" else CASES
        for case in cases.values():
            outcome(case)  # what is done once is done
        expected, reached_by = {}, {}
        for name, case in cases.items():
            sabotage.reached.clear()
            expected[name] = outcome(case)
            for hook in sabotage.reached:
                reached_by.setdefault(hook, []).append(name)
        differing = []
        for hook, names in reached_by.items():
            for sabotage.late in (False, True):
                sabotage.broken = {hook}
                differing += [
                    [hook, name, expected[name], found]
                    for name in (names[0], names[-1])
                    if (found := outcome(cases[name])) != expected[name]
                ]
                sabotage.broken = set()
        # A hook that breaks may leave something behind.
        still = [name for name in cases if outcome(cases[name]) != expected[name]]
        answer = {"broken": sorted(reached_by), "differing": differing, "afterwards": still}
        (settings.DATA_DIR / "broken.json").write_text(json.dumps(answer | {"expected": expected}))
