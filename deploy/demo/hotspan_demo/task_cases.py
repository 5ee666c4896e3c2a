"""The cases of Celery tasks: one for each way in which a task can end."""

from __future__ import annotations

from hotspan_demo.model import Case, Pair, TaskRuns

__all__ = ["TASK_CASES"]

ERP = "shop.erp.tasks"
CHAT = "shop.chat.tasks"
THRICE = ((), (), ())

# Three in ten fail at first; without retry that is the end of them.
SYNC_RUNS = tuple((pk,) for pk in range(20))

# These call the outside and have no retry policy in 1.0.0.
UNPROTECTED_CALLS = (
    TaskRuns(task=f"{ERP}.send_order_confirmation", runs=(("W-00001",),)),
    TaskRuns(task=f"{ERP}.purge_cdn", runs=(("/products/1/",),)),
    TaskRuns(task=f"{ERP}.import_price_list", runs=((),)),
    TaskRuns(task=f"{CHAT}.embed_page", runs=((1,),)),
    TaskRuns(task=f"{CHAT}.translate_message", runs=((1,),)),
    TaskRuns(task=f"{CHAT}.sync_channel", runs=(("web",),)),
    TaskRuns(task=f"{CHAT}.detect_language", runs=((1,),)),
)

# Nothing is wrong with these; they make the inventory complete: 16 of 28 without retry.
ORDINARY = (
    TaskRuns(task=f"{ERP}.clean_activity", runs=((),)),
    TaskRuns(task=f"{ERP}.close_day", runs=((1,),)),
    TaskRuns(task=f"{ERP}.archive_orders", runs=((),)),
    TaskRuns(task=f"{ERP}.refresh_catalogue", runs=((),)),
    TaskRuns(task=f"{CHAT}.summarise_conversation", runs=((1,),)),
    TaskRuns(task=f"{CHAT}.score_feedback", runs=((),)),
    TaskRuns(task=f"{CHAT}.transcribe_voice", runs=((1,),)),
    TaskRuns(task=f"{CHAT}.notify_agent", runs=(("Ada",),)),
    TaskRuns(task=f"{CHAT}.archive_conversation", runs=((1,),)),
)


def task_pair(rule: str, name: str, *, file: str = "", count: int = 1) -> Pair:
    return Pair(rule=rule, entry=f"run/{ERP}.{name}", file=file, count=count)


TASK_CASES = (
    Case(
        id="tasks-without-retry",
        title="16 of 28 tasks without retry",
        triggers=(
            TaskRuns(task=f"{ERP}.fetch_tracking", runs=(("A1",), ("A2",), ("A3",))),
            *UNPROTECTED_CALLS,
            *ORDINARY,
        ),
        pairs=(
            task_pair("task_without_retry", "fetch_tracking"),
            task_pair("task_failure", "fetch_tracking"),
            task_pair("task_without_retry", "sync_customer"),
            task_pair("task_without_retry", "send_delivery_notice"),
            *(Pair(rule="task_without_retry", entry=runs.entry) for runs in UNPROTECTED_CALLS),
        ),
    ),
    Case(
        id="task-failure",
        title="A task that fails with an exception of its own",
        triggers=(
            TaskRuns(
                task=f"{ERP}.post_invoice",
                runs=(("I-0001", 10.55), ("I-0002", 20.25), ("I-0003", 7.35)),
            ),
        ),
        pairs=(task_pair("task_failure", "post_invoice", file="shop/erp/tasks.py"),),
    ),
    Case(
        id="tasks-failing",
        title="30 % of a task's runs fail",
        triggers=(TaskRuns(task=f"{ERP}.sync_customer", runs=SYNC_RUNS),),
        pairs=(
            task_pair("error_rate", "sync_customer"),
            task_pair("task_failure", "sync_customer"),
        ),
    ),
    Case(
        id="notification-timeouts",
        title="A notification that times out, without a second try",
        triggers=(
            TaskRuns(
                task=f"{ERP}.send_delivery_notice", runs=(("W-00001",), ("W-00002",), ("W-00003",))
            ),
        ),
        pairs=(
            task_pair("near_timeout", "send_delivery_notice"),
            task_pair("task_failure", "send_delivery_notice"),
        ),
    ),
    Case(
        id="soft-time-limit",
        title="Soft limit too short (180 s in the audit)",
        triggers=(TaskRuns(task=f"{ERP}.export_ledger", runs=THRICE),),
        pairs=(task_pair("task_timeout", "export_ledger"),),
    ),
    Case(
        id="hard-time-limit",
        title="Hard limit too short",
        triggers=(TaskRuns(task=f"{ERP}.rebuild_search_index", runs=THRICE, entries=0),),
        pairs=(task_pair("task_timeout", "rebuild_search_index"),),
    ),
    Case(
        id="worker-killed",
        title="A worker killed while it works",
        triggers=(TaskRuns(task=f"{ERP}.render_catalogue", runs=((), ()), entries=0),),
        pairs=(task_pair("task_lost", "render_catalogue"),),
    ),
    Case(
        id="retries-exhausted",
        title="All retries in vain",
        triggers=(TaskRuns(task=f"{ERP}.push_to_marketplace", runs=(("SKU-0001",),), entries=3),),
        pairs=(
            task_pair("task_retries_exhausted", "push_to_marketplace"),
            task_pair("task_retry_storm", "push_to_marketplace"),
        ),
    ),
    Case(
        id="queue-wait",
        title="A backlog: tasks wait in the queue",
        triggers=(
            TaskRuns(
                task=f"{ERP}.recalculate_discounts",
                runs=tuple((customer,) for customer in range(20)),
            ),
        ),
        pairs=(task_pair("task_queue_wait", "recalculate_discounts"),),
    ),
)
