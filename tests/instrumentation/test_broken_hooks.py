"""An error in any of our hooks is never the user's: each that is in the code is broken once.

One by one where that is cheap, before and after they have done their work; all at once in workers
and servers.
"""

import json
import re
import signal
from pathlib import Path

import httpx
import pytest
import redis

import hotspan_instrumentation
from support import broken_hooks
from support.processes import free_port

pytestmark = pytest.mark.timeout(180)

SCRIPT = Path(broken_hooks.__file__)
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")
PAGES = ("books", "async-books", "ship", "pages/text", "pages/stream", "pages/async_stream")
TASKS = ("succeed", "fail", "flaky", "exceed_the_soft_limit", "exceed_the_hard_limit", "die")

# Not reached here, and why.
ELSEWHERE = {
    "integrations.django_database:_noting_connection.note": "cursors of Django 4.2 on PostgreSQL",
}


@pytest.fixture(scope="module")
def broken(shared_bookshop, tmp_path_factory):
    """The project, whose programs are started with broken hooks: all of them, if not told else."""
    folder = tmp_path_factory.mktemp("reached")
    shared_bookshop.launcher = ()
    shared_bookshop.env |= {
        "DJANGO_SETTINGS_MODULE": "bookshop.settings_pages",
        "BROKEN_HOOKS": "all",
        "BROKEN_HOOKS_DIR": str(folder),
        "HOTSPAN_COMMANDS": "true",
        "HOTSPAN_USERS": "true",
        "HOTSPAN_CACHE_SPAN_MIN_MS": "0",
        "HOTSPAN_TEMPLATE_SPAN_MIN_MS": "0",
    }
    return shared_bookshop


def _run_one_by_one(shop, **env) -> dict:
    shop.run("python", SCRIPT, "manage.py", "break_hooks", env={"BROKEN_HOOKS": "", **env})
    found: dict = json.loads((shop.data_dir / "broken.json").read_text())
    return found


@pytest.fixture(scope="module")
def one_by_one(broken):
    """Pages, calls, queries and tasks in one process, with one broken hook at a time."""
    return _run_one_by_one(broken)


@pytest.fixture(scope="module")
def on_postgresql(broken, postgres_server):
    """Queries on PostgreSQL, likewise."""
    env = {
        "BOOKSHOP_DATABASE_URL": postgres_server.create_database("broken"),
        "DJANGO_SETTINGS_MODULE": "bookshop.postgres_settings",
    }
    for command in (["migrate", "--run-syncdb"], ["stock"]):
        broken.run("python", "manage.py", *command, env=env)
    return _run_one_by_one(broken, **env)


@pytest.fixture(scope="module")
def worker(broken, redis_server):
    """What a worker and its beat said, and the states of the tasks that it ran."""
    url = f"{redis_server.url.removesuffix('/0')}/2"
    env = {"BOOKSHOP_BROKER_URL": url, "BOOKSHOP_RESULT_URL": url, "BOOKSHOP_BEAT": "yes"}
    arguments = (*TASKS, "books.no_such_task", "--doomed")
    said = broken.run("python", SCRIPT, "manage.py", "outcomes", *arguments, env=env)
    ids = re.findall(r"^[0-9a-f]{8}-\S{27}$", said, re.MULTILINE)
    process = broken.process(
        *("python", SCRIPT, "celery", "-A", "bookshop", "worker", "--concurrency", "2", *QUIET),
        *("--beat", "--schedule", broken.data_dir / "schedule", "--loglevel", "INFO"),
        env=env,
    )
    process.start()
    process.wait_for_line("Task handler raised error: WorkerLostError")
    process.wait_for_line(r"Hard time limit \(1s\) exceeded")
    process.wait_for_line(r"books.outcomes.flaky\[\S+\] raised unexpected")
    process.wait_for_line(r"Discarding revoked task")
    process.wait_for_line(r"Task books.tasks.buy\[\S+\] succeeded")
    process.signal(signal.SIGTERM)
    assert process.wait() == 0
    with redis.Redis.from_url(url) as client:
        stored = (client.get(f"celery-task-meta-{task_id}") for task_id in ids)
        states = [json.loads(each)["status"] if each else None for each in stored]
    return process.output(), dict(zip(TASKS, states, strict=False))


@pytest.fixture(scope="module")
def servers(broken):
    """What each server answered, how it ended at SIGTERM, and what it said."""
    return {name: _ask(broken, name) for name in ("uvicorn", "runserver", "gunicorn")}


def _ask(broken, name: str) -> tuple[dict, int, str]:
    port = free_port()
    command = {
        "uvicorn": ("uvicorn", "bookshop.asgi:application", "--port", str(port)),
        "runserver": ("manage.py", "runserver", f"127.0.0.1:{port}", "--noreload"),
        "gunicorn": ("gunicorn", "bookshop.wsgi", "--bind", f"127.0.0.1:{port}"),
    }[name]
    process = broken.process("python", SCRIPT, *command)
    process.start()
    process.wait_for_url(f"http://127.0.0.1:{port}/process/")
    headers = {"Accept-Encoding": "identity"}
    with httpx.Client(trust_env=False, timeout=30, headers=headers) as client:
        answers = [client.get(f"http://127.0.0.1:{port}/{page}/") for page in PAGES]
    process.signal(signal.SIGTERM)
    texts = {page: each.text for page, each in zip(PAGES, answers, strict=True)}
    return texts, process.wait(), process.output()


@pytest.fixture(scope="module")
def without_installs(broken):
    """What a command said for which hooks could not be put in place."""
    env = {"BROKEN_HOOKS": "installs", "DJANGO_SETTINGS_MODULE": "bookshop.settings_application"}
    return broken.run("python", SCRIPT, "manage.py", "close", "well", env=env)


@pytest.mark.slow
@pytest.mark.parametrize("run", ["one_by_one", "on_postgresql"])
def test_each_hook(run, request):
    """Whichever hook breaks, all ends as it does with whole ones, then and afterwards."""
    found = request.getfixturevalue(run)

    assert found["differing"] == []
    assert found["afterwards"] == []
    assert len(found["broken"]) > 15


@pytest.mark.slow
def test_what_is_compared(one_by_one):
    """The cases that hooks are broken in do what they are there for."""
    expected = one_by_one["expected"]

    assert expected["books"].startswith("(200, ")
    assert "A book of Ursula by Ursula" in expected["pages/rendered"]
    assert expected["pages/signed_in"] == "(200, '')"
    assert expected["calls/by_aiohttp"] == "(200, '')"
    assert expected["failing"] == "IntegrityError"
    assert expected["fail"].startswith("('FAILURE', ")
    assert expected["command"] == "CommandError"


@pytest.mark.slow
def test_what_is_compared_on_postgresql(on_postgresql):
    """So do those on PostgreSQL."""
    expected = on_postgresql["expected"]

    assert expected["asynchronous_driver"] == "[(2,)]"
    assert expected["broken_cursor"] == "ProgrammingError"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["uvicorn", "runserver", "gunicorn"])
def test_servers(servers, name):
    """With all hooks broken a server answers and ends as ever, and says once what broke."""
    answers, status, said = servers[name]

    assert answers == {
        "books": '{"books": ["A book of Ursula by Ursula", "A book of Iain by Iain"]}',
        "async-books": '{"count": 2, "first": "Ursula"}',
        "ship": '{"status": 200}',
        "pages/text": "x" * 200_000,
        "pages/stream": "Ursula\nIain\n",
        "pages/async_stream": "A book of Ursula\nA book of Iain\n",
    }
    assert status in {0, -signal.SIGTERM}
    failures = re.findall(r"hotspan's hook (\S+) failed", said)
    assert len(failures) > 5
    assert len(failures) == len(set(failures))
    assert "SabotageError: " in said


@pytest.mark.slow
def test_workers(worker):
    """With all hooks broken Celery handles every end as it does without us."""
    said, states = worker

    assert states == dict.fromkeys(TASKS, "FAILURE") | {"succeed": "SUCCESS"}
    assert "SabotageError: " in said
    assert "Pool callback raised exception" not in said


def test_hooks_that_install(without_installs):
    """If hooks cannot be put in place, a program runs without them."""
    said = without_installs.splitlines()

    assert [line for line in said if line in {"Ursula", "Iain"}] == ["Ursula", "Iain"]
    assert any("hotspan's hook" in line for line in said)


@pytest.mark.slow
@pytest.mark.usefixtures("one_by_one", "on_postgresql", "worker", "servers", "without_installs")
def test_every_hook_in_the_code_is_broken(broken):
    """There is no hook in hotspan's code that these tests do not reach."""
    reached = {path.name for path in Path(broken.env["BROKEN_HOOKS_DIR"]).iterdir()}

    hooks = broken_hooks.hooks_in_code(Path(hotspan_instrumentation.__file__).parent)
    assert hooks - reached == set(ELSEWHERE)
