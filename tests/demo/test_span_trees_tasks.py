"""What arrives of each case of the shop's tasks, below its publication by a request."""

import pytest

from hotspan_demo.task_cases import TASK_CASES
from support.attributes_table import undocumented
from support.demo_shop import DemoShop
from support.span_attributes import attributes
from support.span_tree import folded_tree

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TREES = {
    "shop.erp.tasks.fetch_tracking": """\
consumer run/shop.erp.tasks.fetch_tracking = failure
  client GET @ shop.erp.tasks.ask""",
    "shop.erp.tasks.send_order_confirmation": """\
consumer run/shop.erp.tasks.send_order_confirmation = success
  client POST @ shop.erp.tasks.tell""",
    "shop.erp.tasks.purge_cdn": """\
consumer run/shop.erp.tasks.purge_cdn = success
  client POST @ shop.erp.tasks.tell""",
    "shop.erp.tasks.import_price_list": """\
consumer run/shop.erp.tasks.import_price_list = success
  client GET @ shop.erp.tasks.ask""",
    "shop.chat.tasks.embed_page": """\
consumer run/shop.chat.tasks.embed_page = success
  client connect @ shop.chat.tasks.embed_page
  client SELECT @ shop.chat.tasks.embed_page
  client POST @ shop.erp.tasks.tell""",
    "shop.chat.tasks.translate_message": """\
consumer run/shop.chat.tasks.translate_message = success
  client connect @ shop.chat.tasks.translate_message
  client SELECT @ shop.chat.tasks.translate_message
  client POST @ shop.erp.tasks.tell""",
    "shop.chat.tasks.sync_channel": """\
consumer run/shop.chat.tasks.sync_channel = success
  client GET @ shop.erp.tasks.ask""",
    "shop.chat.tasks.detect_language": """\
consumer run/shop.chat.tasks.detect_language = success
  client connect @ shop.chat.tasks.detect_language
  client SELECT @ shop.chat.tasks.detect_language
  client POST @ shop.erp.tasks.tell""",
    "shop.erp.tasks.clean_activity": """\
consumer run/shop.erp.tasks.clean_activity = success
  internal transaction @ shop.erp.tasks.clean_activity
  client connect @ shop.erp.tasks.clean_activity
  client BEGIN @ shop.erp.tasks.clean_activity
  client DELETE @ shop.erp.tasks.clean_activity""",
    "shop.erp.tasks.close_day": """\
consumer run/shop.erp.tasks.close_day = success
  client connect @ shop.erp.tasks.close_day
  client UPDATE @ shop.erp.tasks.close_day""",
    "shop.erp.tasks.archive_orders": """\
consumer run/shop.erp.tasks.archive_orders = success
  client connect @ shop.erp.tasks.archive_orders
  client UPDATE @ shop.erp.tasks.archive_orders""",
    "shop.erp.tasks.refresh_catalogue": """\
consumer run/shop.erp.tasks.refresh_catalogue = success
  client connect @ shop.erp.tasks.refresh_catalogue
  client SELECT @ shop.erp.tasks.refresh_catalogue""",
    "shop.chat.tasks.summarise_conversation": """\
consumer run/shop.chat.tasks.summarise_conversation = success
  client connect @ shop.chat.tasks.summarise_conversation
  client SELECT @ shop.chat.tasks.summarise_conversation
  client POST @ shop.erp.tasks.tell""",
    "shop.chat.tasks.score_feedback": """\
consumer run/shop.chat.tasks.score_feedback = success
  client connect @ shop.chat.tasks.score_feedback
  client SELECT @ shop.chat.tasks.score_feedback""",
    "shop.chat.tasks.transcribe_voice": """\
consumer run/shop.chat.tasks.transcribe_voice = success
  client POST @ shop.erp.tasks.tell""",
    "shop.chat.tasks.notify_agent": """\
consumer run/shop.chat.tasks.notify_agent = success
  client POST @ shop.erp.tasks.tell""",
    "shop.chat.tasks.archive_conversation": """\
consumer run/shop.chat.tasks.archive_conversation = success
  client connect @ shop.chat.tasks.archive_conversation
  client UPDATE @ shop.chat.tasks.archive_conversation""",
    "shop.erp.tasks.post_invoice": """\
consumer run/shop.erp.tasks.post_invoice = failure""",
    "shop.erp.tasks.sync_customer": """\
consumer run/shop.erp.tasks.sync_customer = failure
  client GET @ shop.erp.tasks.ask""",
    "shop.erp.tasks.send_delivery_notice": """\
consumer run/shop.erp.tasks.send_delivery_notice = failure
  client POST @ shop.erp.tasks.tell""",
    "shop.erp.tasks.export_ledger": """\
consumer run/shop.erp.tasks.export_ledger = soft_timeout""",
    "shop.erp.tasks.rebuild_search_index": """\
consumer run/shop.erp.tasks.rebuild_search_index = hard_timeout""",
    "shop.erp.tasks.render_catalogue": """\
consumer run/shop.erp.tasks.render_catalogue = lost""",
    "shop.erp.tasks.push_to_marketplace": """\
consumer run/shop.erp.tasks.push_to_marketplace = retry
  client POST @ shop.erp.tasks.tell
  producer apply_async/shop.erp.tasks.push_to_marketplace
    consumer run/shop.erp.tasks.push_to_marketplace = retry
      client POST @ shop.erp.tasks.tell
      producer apply_async/shop.erp.tasks.push_to_marketplace
        consumer run/shop.erp.tasks.push_to_marketplace = failure
          client POST @ shop.erp.tasks.tell""",
    "shop.erp.tasks.recalculate_discounts": """\
consumer run/shop.erp.tasks.recalculate_discounts = success""",
}
RUNS = {trigger.task: trigger.runs[0] for case in TASK_CASES for trigger in case.triggers}

# Those that need no child of their own: of threads and of the main process none can be killed.
ANYWHERE = ("send_order_confirmation", "embed_page", "post_invoice", "push_to_marketplace")


@pytest.fixture(scope="module")
def publish(tmp_path_factory, stub_url, shared_sink):
    """Run a worker, and return the tree of each task that is named."""
    shops = []

    def publish(pool, tasks):
        shop = DemoShop(tmp_path_factory.mktemp("shop"), shared_sink, stub_url)
        shops.append(shop)
        shop.prepare()
        shop.start_web()
        shop.start_worker(pool)
        # One by one: a child that is killed takes along what it has not sent of the task before.
        return {task: _tree(shop, shop.publish(task, RUNS[task])) for task in tasks}

    yield publish
    for shop in shops:
        shop.end()


def _tree(shop, trace_id):
    spans = shop.trace(trace_id, complete=_has_ended)
    # A child that is killed may have sent its own span, which says nothing of an end.
    made = any(attributes(span).get("hotspan.synthetic") for span in spans)
    kept = [span for span in spans if not (made and _is_run(span) and not _outcome(span))]
    request, publication, *tree = folded_tree(kept).splitlines()
    assert (request, publication.split("/")[0]) == (
        "server POST erp/jobs/",
        "  producer apply_async",
    )
    return "\n".join(line[4:] for line in tree)


def _is_run(span):
    return span.name.startswith("run/")


def _outcome(span):
    return attributes(span).get("hotspan.task.outcome")


def _has_ended(spans):
    outcomes = {_outcome(span) for span in spans if _is_run(span)} - {None, "retry"}
    return bool(outcomes) and any(span.name == "POST erp/jobs/" for span in spans)


def test_prefork(publish, shared_sink):
    """Each case leaves the spans that its rules read, and no others, also when it is killed."""
    assert publish("prefork", RUNS) == TREES

    # Whatever they send is in the table of attributes.
    arrived = {name for span in shared_sink.spans() for name in attributes(span)}
    assert {"hotspan.task.outcome", "hotspan.task.queue_wait_ms"} <= arrived
    assert undocumented(arrived) == set()


@pytest.mark.parametrize("pool", ["threads", "solo"])
def test_other_pools(publish, pool):
    """Tasks look the same in a worker with threads, and in one that runs them itself."""
    tasks = [task for task in RUNS if task.endswith(ANYWHERE)]

    assert publish(pool, tasks) == {task: TREES[task] for task in tasks}
