"""The demo's processes are watched, and none is left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hotspan_demo.errors import ChildDiedError, DemoError, StoppedError
from hotspan_demo.processes import Command, Supervisor, stop_on_signals

# A parent that ignores SIGTERM, with a child that does so too: the worst to get rid of.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""
# What `hotspan demo` is while it starts: it starts a process, and waits for what never comes.
DEMO_THAT_WAITS = """
import sys, threading
from pathlib import Path
from hotspan_demo.errors import StoppedError
from hotspan_demo.processes import Command, Supervisor, stop_on_signals

folder = Path(sys.argv[1])
supervisor = Supervisor(stop=threading.Event(), grace_s=5)
with stop_on_signals(supervisor):
    child = supervisor.start(Command(name="sleeper", arguments=["sleep", "60"], environment={},
                                     folder=folder, log=folder / "sleeper.log"))
    print(child.popen.pid, flush=True)
    try:
        supervisor.wait_until(lambda: False, what="Nothing", within_s=60)
    except StoppedError:
        print("stopped", flush=True)
    finally:
        supervisor.end_all()
"""


@pytest.fixture
def supervisor():
    made = Supervisor(stop=threading.Event(), grace_s=0.5)
    yield made
    made.end_all()


@pytest.fixture
def python(tmp_path):
    """A command that runs a piece of Python."""

    def make(code, *, name="helper"):
        return Command(
            name=name,
            arguments=[sys.executable, "-c", code],
            environment=dict(os.environ),
            folder=tmp_path,
            log=tmp_path / "logs" / f"{name}.log",
        )

    return make


def exists(pid):
    """Whether a process runs; one that nobody has waited for yet does not."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_for(condition):
    while not condition():
        time.sleep(0.02)


def test_ends_the_children_of_children(supervisor, python):
    """Processes that ignore SIGTERM are killed, with what they started."""
    child = supervisor.start(python(STUBBORN))
    wait_for(lambda: child.command.log.read_text().endswith("\n"))
    grandchild = int(child.command.log.read_text())

    supervisor.end_all()
    wait_for(lambda: not exists(grandchild))

    assert (exists(child.popen.pid), supervisor.children) == (False, [])


def test_a_dead_child_shows_its_last_words(supervisor, python):
    """When a process ends by itself, the error has its name, exit code, last lines and log."""
    child = supervisor.start(python("import sys; print('port taken'); sys.exit(3)"))
    child.popen.wait()

    with pytest.raises(ChildDiedError) as caught:
        supervisor.check()

    text = str(caught.value)
    for expected in ("helper", "exit code 3", "port taken", str(child.command.log)):
        assert expected in text


def test_last_words_of_an_earlier_run_are_not_shown(supervisor, python):
    """Logs are kept from run to run, but an error shows what this run said."""
    supervisor.run(python("print('the run before')"))

    with pytest.raises(ChildDiedError) as caught:
        supervisor.run(python("import sys; sys.exit('this run')"))

    assert "this run" in str(caught.value)
    assert "the run before" not in str(caught.value)


def test_waiting_fails_when_a_process_dies(supervisor, python):
    """Nobody waits for a process that is gone."""
    supervisor.start(python("import sys; sys.exit(1)"))

    with pytest.raises(ChildDiedError):
        supervisor.wait_until(lambda: False, what="It", within_s=60)


def test_waiting_has_an_end(supervisor):
    """What does not come in time is an error that names it."""
    with pytest.raises(DemoError, match=r"The shop did not answer within 0\.1 s"):
        supervisor.wait_until(lambda: False, what="The shop", within_s=0.1)


def test_nothing_is_started_after_stop(supervisor, python):
    """Once somebody wants it to stop, no further process is started."""
    supervisor.stop.set()

    with pytest.raises(StoppedError):
        supervisor.start(python("print('hello')"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_everything(number, tmp_path):
    """Ctrl-C and SIGTERM, also while starting, end the demo and all of its processes."""
    demo = subprocess.Popen(
        [sys.executable, "-c", DEMO_THAT_WAITS, tmp_path], stdout=subprocess.PIPE, text=True
    )
    with demo:
        child = int(demo.stdout.readline())
        demo.send_signal(number)
        rest = demo.stdout.read()

    assert (rest, demo.returncode, exists(child)) == ("stopped\n", 0, False)


def test_killed_it_leaves_nothing_behind(tmp_path):
    """When the demo itself is killed, its processes end too."""
    demo = subprocess.Popen(
        [sys.executable, "-c", DEMO_THAT_WAITS, tmp_path], stdout=subprocess.PIPE, text=True
    )
    with demo:
        child = int(demo.stdout.readline())
        wait_for(lambda: Path(f"/proc/{child}/comm").read_text() == "sleep\n")
        demo.kill()

    wait_for(lambda: not exists(child))


def test_handlers_are_put_back(supervisor):
    """After the demo, signals do what they did before."""
    before = signal.getsignal(signal.SIGTERM)
    with stop_on_signals(supervisor):
        pass

    assert before is signal.getsignal(signal.SIGTERM)


def test_a_second_signal_does_not_wait(supervisor):
    """Whoever presses Ctrl-C twice does not want to wait."""
    with stop_on_signals(supervisor):
        signal.raise_signal(signal.SIGINT)
        first = supervisor.hurry.is_set()
        signal.raise_signal(signal.SIGINT)

    assert (first, supervisor.hurry.is_set()) == (False, True)
