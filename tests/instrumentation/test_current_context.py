"""The shortest way to the current context leads to the one that OpenTelemetry's API has."""

import runpy

import pytest
from opentelemetry import context
from opentelemetry.context import Context
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext

from hotspan_instrumentation import current_context

MODULE = current_context.__file__


class Another(ContextVarsRuntimeContext):
    """A runtime of somebody else's, as OTEL_PYTHON_CONTEXT names one."""


@pytest.mark.parametrize("runtime", [ContextVarsRuntimeContext, Another])
def test_the_same_context(monkeypatch, runtime):
    """What is attached by one way is current by the other, and both detach it."""
    monkeypatch.setattr(context, "_RUNTIME_CONTEXT", runtime())
    ours = runpy.run_path(MODULE)
    given = [Context({"a": 1}), Context({"a": 2})]

    first = ours["attach"](given[0])
    found = [context.get_current()]
    second = context.attach(given[1])
    found.append(ours["get_current"]())
    context.detach(second)
    ours["detach"](first)

    assert found == given
    assert context.get_current() == ours["get_current"]() == Context()


def test_another_runtime_is_asked_through_the_api(monkeypatch):
    """Of a runtime that is not the API's own nothing is assumed."""
    monkeypatch.setattr(context, "_RUNTIME_CONTEXT", Another())
    ours = runpy.run_path(MODULE)

    assert (ours["attach"], ours["detach"]) == (context.attach, context.detach)
