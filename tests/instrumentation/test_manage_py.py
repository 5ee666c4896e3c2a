"""manage.py names the settings itself; nothing else does."""

from pathlib import Path

from support.processes import free_port
from support.span_tree import span_tree

PROJECT = Path(__file__).parent / "project"


def test_command(bookshop, sink):
    """A command's queries arrive with the lines that made them."""
    bookshop.run("python", "manage.py", "stock")

    inserts = [span for span in sink.spans() if span.name == "INSERT"]

    command = "books/management/commands/stock.py"
    function = "books.management.commands.stock.Command.handle"
    assert (
        span_tree(inserts, root=PROJECT).splitlines()
        == [
            f"client INSERT @ {command}:19 {function}",
            f"client INSERT @ {command}:20 {function}",
        ]
        * 2
    )


def test_runserver(bookshop, sink):
    """The development server starts, reloader and all; DEBUG adds no queries to a page's own."""
    port = free_port()
    server = bookshop.process(
        *("python", "manage.py", "runserver", f"127.0.0.1:{port}"), env={"BOOKSHOP_DEBUG": "yes"}
    )
    server.start()
    server.wait_for_url(f"http://127.0.0.1:{port}/books/")
    (request,) = sink.wait_for("GET books/")

    page = [span for span in sink.spans() if span.trace_id == request.trace_id]

    assert span_tree(page, root=PROJECT) == (
        "server GET books/\n"
        "  client connect @ books/views.py:11 books.views.books\n"
        "  client SELECT @ books/views.py:11 books.views.books\n"
        "  client SELECT @ books/views.py:12 books.views.books.<locals>.<listcomp>\n"
        "  client SELECT @ books/views.py:12 books.views.books.<locals>.<listcomp>"
    )


def test_broken_settings_are_reported_by_django(bookshop):
    """Settings that cannot be imported end in Django's own message, not in empty settings."""
    process = bookshop.process(
        "python", "manage.py", "check", env={"DJANGO_SETTINGS_MODULE": "no_such_settings"}
    )
    process.start()

    assert process.wait() == 1
    assert "No module named 'no_such_settings'" in process.output()
