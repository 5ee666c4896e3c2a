"""Which frame is the application's."""

import sys
import sysconfig
from functools import partial
from pathlib import Path

import pytest

from hotspan_instrumentation.call_site import CallSite, CallSiteFinder


def _stack(*files: str, module: str = "pkg.mod", run=None):
    """Call through frames that come from these files, the first one outermost."""
    run = run or (lambda: CallSiteFinder().find(sys._getframe(1)))
    for file in reversed(files):
        namespace = {"__name__": module, "run": run}
        exec(compile("def call():\n    return run()\n", file, "exec"), namespace)
        run = namespace["call"]
    return run()


def _path_of(site: CallSite | None) -> str | None:
    return site.path if site else None


def test_first_application_frame():
    """The site is the innermost frame that is the application's, whatever lies around it."""
    site = _stack("/srv/shop/wsgi.py", "/srv/shop/views.py", "/x/site-packages/orm/query.py")

    assert site == CallSite("/srv/shop/views.py", 2, "pkg.mod.call")


def test_each_line_has_its_own():
    """Places are remembered by what is there, also when the same code comes again."""
    finder = CallSiteFinder()
    source = "def one():\n    return run()\ndef other():\n    run()\n    return run()\n"
    found = []
    for _ in range(3):
        namespace = {"__name__": "shop.views", "run": lambda: finder.find(sys._getframe(1))}
        exec(compile(source, "/srv/shop/views.py", "exec"), namespace)
        found += [namespace["one"](), namespace["other"]()]

    one = CallSite("/srv/shop/views.py", 2, "shop.views.one")
    other = CallSite("/srv/shop/views.py", 5, "shop.views.other")
    assert found == [one, other] * 3


def test_a_place_that_is_known():
    """Where a statement came from the last time is looked at first; if it is gone, it is found."""
    finder = CallSiteFinder()
    compiled = {
        file: compile("def call(run):\n    return run()\n", file, "exec")
        for file in ("/srv/shop/views.py", "/srv/shop/tasks.py", "/x/site-packages/orm/query.py")
    }

    def through(*files):
        run = lambda: finder.find_again(known)  # noqa: E731 - a frame of its own
        for file in reversed(files):
            namespace = {"__name__": "shop"}
            exec(compiled[file], namespace)
            run = partial(namespace["call"], run)
        return run()

    known, found = None, []
    views, tasks, library = compiled
    for files in (
        (views, library, library),
        (views, library, library),
        (tasks, library, library),
        (views, tasks, library),
        (views, library),
        (views, library, library),
    ):
        site, known = through(*files)
        found.append(site.path)

    assert found == [views, views, tasks, tasks, views, views]


@pytest.mark.parametrize(
    "file",
    [
        f"{sys.prefix}/src/shop/views.py",
        f"{sys.base_prefix}/src/app/views.py",
        f"{Path(sys.prefix).parent}/shop/views.py",
    ],
    ids=["in the virtual environment", "in the installation's prefix", "beside the environment"],
)
def test_projects_near_an_environment(file):
    """A project is no library because of the folder that its environment lies in, or is."""
    assert _path_of(_stack(file)) == file


@pytest.mark.parametrize(
    "file",
    [
        f"{sysconfig.get_path('stdlib')}/contextlib.py",
        f"{sysconfig.get_path('purelib')}/django/db/models/query.py",
        f"{sysconfig.get_path('scripts')}/celery",
        "/srv/shop/.venv/lib/python3.11/site-packages/django/db/models/query.py",
        "/usr/lib/python3/dist-packages/django/db/models/query.py",
        "/root/.pex/installed_wheels/1f/django-5.2-py3-none-any.whl/django/db/models/query.py",
        "<string>",
        "<frozen importlib._bootstrap>",
        "/srv/shop/templates/order.html",
    ],
)
def test_what_is_no_application(file):
    """Installed packages, the standard library, scripts, and made-up code are passed over."""
    assert _path_of(_stack("/srv/shop/views.py", file)) == "/srv/shop/views.py"


def test_installed_application():
    """A package that is installed but named as the application is the application."""
    file = "/opt/venv/lib/python3.11/site-packages/shop/views.py"

    def find():
        return CallSiteFinder(application_packages=["shop"]).find(sys._getframe(1))

    assert _path_of(_stack(file, module="shop.views", run=find)) == file


def test_relative_files_become_absolute(monkeypatch):
    """A frame of a program that was started by a relative path has an absolute one."""
    monkeypatch.chdir("/usr")

    assert _path_of(_stack("shop/views.py")) == "/usr/shop/views.py"


def test_ever_new_files(monkeypatch):
    """Code made at run time, each time under a new name, does not fill the memory."""
    monkeypatch.setattr("hotspan_instrumentation.call_site._MAX_CACHED_FILES", 10)
    finder = CallSiteFinder()
    for number in range(100):
        _stack(f"<made {number}>", run=lambda: finder.find(sys._getframe(1)))

    assert len(finder._files) <= 10
