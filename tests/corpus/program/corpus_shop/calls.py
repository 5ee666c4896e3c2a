"""Calls to the outside, and to caches."""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import requests
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from opentelemetry import context
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from corpus_shop.models import Job, Order
from corpus_shop.registry import work

OUTSIDE = settings.OUTSIDE_URL


@work
def call_for_each_row():
    with requests.Session() as session:
        for order in Order.objects.order_by("pk")[:8]:
            session.get(f"{OUTSIDE}/prices/{order.pk}", timeout=5)


@work
def post_for_each_row():
    for order in Order.objects.order_by("pk")[:6]:
        requests.post(f"{OUTSIDE}/hooks", json={"order": order.pk}, timeout=5)


@work
def calls_side_by_side():
    # OpenTelemetry's context does not follow into threads by itself.
    outer = context.get_current()

    def ask(number: int) -> None:
        token = context.attach(outer)
        requests.get(f"{OUTSIDE}/prices/{number}?wait_ms=60", timeout=5)
        context.detach(token)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))


@work
def calls_to_several_endpoints():
    with requests.Session() as session:
        for name in ("users", "rates", "taxes", "regions", "stock", "offers"):
            session.get(f"{OUTSIDE}/{name}", timeout=5)


@work
def call_with_retries():
    """The other side is busy twice."""
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Retry(4, status_forcelist=[503])))
        session.get(f"{OUTSIDE}/busy", timeout=5)


@work
def call_that_takes_a_second():
    requests.get(f"{OUTSIDE}/slow?wait_ms=1150", timeout=5)


@work
def call_without_a_timeout():
    _long_enough()
    requests.get(f"{OUTSIDE}/quick")


@work
def call_that_times_out():
    with contextlib.suppress(requests.Timeout):
        requests.get(f"{OUTSIDE}/slow?wait_ms=900", timeout=0.25)


@work
def call_in_a_transaction():
    with transaction.atomic():
        Job.objects.update(state="called")
        requests.get(f"{OUTSIDE}/quick", timeout=5)


@work
def call_after_the_commit():
    _long_enough()
    with transaction.atomic():
        Job.objects.update(state="committed")
        transaction.on_commit(lambda: requests.get(f"{OUTSIDE}/quick", timeout=5))


@work
def one_quick_call():
    _long_enough()
    requests.get(f"{OUTSIDE}/quick", timeout=5)


@work
def polls_a_job_elsewhere():
    with requests.Session() as session:
        for _ in range(6):
            session.get(f"{OUTSIDE}/jobs/17", timeout=5)
            time.sleep(0.04)


@work
def polls_the_database():
    for _ in range(6):
        Job.objects.filter(pk=1).first()
        time.sleep(0.04)


@work
def cache_keys_one_by_one():
    return [cache.get(f"price:{number}") for number in range(25)]


@work
def cache_sets_one_by_one():
    for number in range(15):
        cache.set(f"price:{number}", number, 60)


@work
def cache_keys_at_once():
    cache.set_many({f"price:{number}": number for number in range(25)}, 60)
    return cache.get_many([f"price:{number}" for number in range(25)])


@work
def a_few_cache_keys():
    return [cache.get(name) for name in ("rates", "menu", "flags", "banner")]


def _long_enough() -> None:
    """Work of some tens of milliseconds, beside which a quick call is little."""
    until = time.process_time() + 0.06
    while time.process_time() < until:
        list(Order.objects.all())
        break
    while time.process_time() < until:
        sum(range(1000))
