"""Django's cache: hits and misses, counted on the request or task; spans of slow operations only.

A cache in memory makes no spans at all in the stock set-up, and one in Redis none that tell a hit.
"""

import functools
import re
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from opentelemetry import trace

from hotspan_instrumentation.entry import current_entry
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.settings import current_settings

MODULE: Final = "django.core.cache"

HITS: Final = "hotspan.cache.hits"
MISSES: Final = "hotspan.cache.misses"
TIME_MS: Final = "hotspan.cache.time_ms"

# Keys by which a process tells hits from misses: each is a pair of attributes on a request's span.
MAX_PATTERNS: Final = 30

_SCOPE: Final = "hotspan_instrumentation.cache"
_NS_PER_MS: Final = 1_000_000

# What differs from key to key: addresses, ids in hex, numbers.
_VARYING: Final = re.compile(
    r"[^\s:/]+@[^\s:/]+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[0-9a-fA-F]{12,}|\d+"
)


def install(module: ModuleType) -> None:
    """Wrap the operations of every cache that Django makes."""
    if not current_settings().cache:
        return
    handler = module.CacheHandler
    original = handler.create_connection

    @functools.wraps(original)
    def create_connection(self: Any, alias: str) -> Any:  # noqa: ANN401 - Django's signature
        cache = original(self, alias)
        _watch(cache, alias)
        return cache

    handler.create_connection = create_connection


@guarded
def _watch(cache: Any, alias: str) -> None:  # noqa: ANN401 - any backend
    """Wrap an instance, which is of one thread or task; other users of its class are left alone."""
    operations = _Operations(alias)
    cache.get = operations.wrap_get(cache.get)
    cache.get_many = operations.wrap_get_many(cache.get_many)
    cache.get_or_set = operations.wrap_get_or_set(cache.get_or_set)
    for name in ("set", "add", "delete", "touch", "incr", "set_many", "delete_many"):
        setattr(cache, name, operations.wrap(name, getattr(cache, name)))


class _Operations:
    """Watches the operations of one cache; those that make others count once."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._is_inside = False

    def wrap_get(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def count(
            found: object,
            key: object = None,  # noqa: ARG001 - Django's signature
            default: object = None,
            *_: object,
            **__: object,
        ) -> tuple[int, int]:
            return (0, 1) if found is default else (1, 0)

        return self.wrap("get", original, count)

    def wrap_get_many(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def count(found: Any, keys: Any, *_: object, **__: object) -> tuple[int, int]:  # noqa: ANN401
            return len(found), len(keys) - len(found)

        watched = self.wrap("get_many", original, count)

        @functools.wraps(original)
        def get_many(keys: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - Django's signature
            # An iterator can be gone through only once, and both of us have to.
            return watched(keys if hasattr(keys, "__len__") else list(keys), *args, **kwargs)

        return get_many

    def wrap_get_or_set(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def get_or_set(key: Any, default: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - Django's signature
            if self._is_inside:
                return original(key, default, *args, **kwargs)
            spent_ns: list[int] = []

            def missed() -> Any:  # noqa: ANN401 - what is to be stored
                # What makes the value is the application's: its own gets count.
                self._is_inside = False
                called_ns = time.time_ns()
                try:
                    return default() if callable(default) else default
                finally:
                    spent_ns.append(time.time_ns() - called_ns)
                    self._is_inside = True

            self._is_inside = True
            started_ns = time.time_ns()
            try:
                result = original(key, missed, *args, **kwargs)
            finally:
                self._is_inside = False
            hit = not spent_ns
            self._note("get_or_set", key, started_ns + sum(spent_ns), int(hit), int(not hit))
            return result

        return get_or_set

    def wrap(
        self,
        name: str,
        original: Callable[..., Any],
        count: Callable[..., tuple[int, int]] | None = None,
    ) -> Callable[..., Any]:
        @functools.wraps(original)
        def operation(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - Django's signature
            if self._is_inside:
                return original(*args, **kwargs)
            self._is_inside = True
            started_ns = time.time_ns()
            try:
                result = original(*args, **kwargs)
            finally:
                self._is_inside = False
            hits, misses = _counted(count, result, args, kwargs) or (0, 0)
            self._note(name, key_of(args, kwargs), started_ns, hits, misses)
            return result

        return operation

    @guarded
    def _note(self, name: str, key: object, started_ns: int, hits: int, misses: int) -> None:
        ended_ns = time.time_ns()
        elapsed_ms = (ended_ns - started_ns) / _NS_PER_MS
        counted = {HITS: hits, MISSES: misses}
        entry = current_entry()
        if entry is not None:
            by_key = _by_key(key, hits, misses) if hits or misses else {}
            counters = {TIME_MS: elapsed_ms, **counted, **by_key}
            entry.add_all({each: n for each, n in counters.items() if n})
        if elapsed_ms < current_settings().cache_span_min_ms:
            return
        span = trace.get_tracer(_SCOPE).start_span(
            f"cache {name}",
            start_time=started_ns,
            attributes={
                "hotspan.cache.operation": name,
                "hotspan.cache.alias": self._alias,
                "hotspan.cache.key_pattern": key_pattern(key),
                **counted,
            },
        )
        span.end(ended_ns)


@guarded
def _counted(
    count: Callable[..., tuple[int, int]] | None,
    result: object,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[int, int]:
    return count(result, *args, **kwargs) if count else (0, 0)


_patterns: set[str] = set()


def _by_key(keys: object, hits: int, misses: int) -> dict[str, int]:
    """Return what counts for a key's pattern, if it is one of the first that this process saw."""
    pattern = key_pattern(keys)
    if pattern not in _patterns:
        if len(_patterns) >= MAX_PATTERNS:
            return {}
        _patterns.add(pattern)
    return {
        f"hotspan.cache.keys.{pattern}.hits": hits,
        f"hotspan.cache.keys.{pattern}.misses": misses,
    }


def key_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
    """Return the key or keys that an operation was called with."""
    return args[0] if args else next(iter(kwargs.values()), "")


def key_pattern(keys: object) -> str:
    """Return a key without what differs from key to key; of several keys, of the first one."""
    if not isinstance(keys, str):
        keys = next(iter(keys), "") if isinstance(keys, dict | list | tuple | set) else ""
    return _VARYING.sub("*", str(keys))[:200]
