"""What can be asked for: pages by name, and what runs as a task, too."""

from collections.abc import Callable

Work = Callable[..., object]

PAGES: dict[str, Work] = {}
WORKS: dict[str, Work] = {}


def page(function: Work) -> Work:
    """Serve it as a page: it takes the request."""
    PAGES[function.__name__] = function
    return function


def work(function: Work) -> Work:
    """Do it in a page, and in a task."""
    WORKS[function.__name__] = function
    return function
