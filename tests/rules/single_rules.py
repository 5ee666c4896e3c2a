"""The rules that look at single operations and at time, each with its cases."""

import functools
from collections.abc import Mapping, Sequence

from rules.single import (
    blocking_time,
    connection_churn,
    debug_enabled,
    duplicate_middleware,
    external_call_in_request,
    external_call_in_transaction,
    large_response,
    long_transaction,
    missing_timeout,
    near_timeout,
    over_fetch,
    slow_external_call,
    slow_query,
    task_failure,
    task_retries_exhausted,
    task_timeout,
    task_without_retry,
    unbounded_result,
)

from support.rule_cases import Case, Found, find

_MODULES = (
    blocking_time,
    connection_churn,
    debug_enabled,
    duplicate_middleware,
    external_call_in_request,
    external_call_in_transaction,
    large_response,
    long_transaction,
    missing_timeout,
    near_timeout,
    over_fetch,
    slow_external_call,
    slow_query,
    task_failure,
    task_retries_exhausted,
    task_timeout,
    task_without_retry,
    unbounded_result,
)
CASES: Mapping[str, Sequence[Case]] = {
    module.__name__.rpartition(".")[2]: module.CASES for module in _MODULES
}


@functools.cache
def found_in_single() -> Mapping[str, Mapping[str, Sequence[Found]]]:
    """Return what each rule finds in its cases: they are evaluated together, once."""
    return find(CASES)
