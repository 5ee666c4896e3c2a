"""Tasks: all that is done in pages, too, and the ways in which tasks end."""

import contextlib
import time

import requests
from celery import chord
from celery.exceptions import Ignore, Reject, SoftTimeLimitExceeded
from django.conf import settings

from corpus_shop import calls, reads, waits, writes
from corpus_shop.celery import app
from corpus_shop.models import Item, Order, Product
from corpus_shop.registry import WORKS

MODULES = (calls, reads, waits, writes)
OUTSIDE = settings.OUTSIDE_URL


def _add(name, function):
    @app.task(name=name)
    def task():
        function()


for _name, _function in WORKS.items():
    _add(_name, _function)


class PaymentError(Exception):
    pass


class ExpectedError(Exception):
    pass


@app.task(name="raises")
def raises():
    raise PaymentError("no such account")


@app.task(name="raises_what_it_declares", throws=(ExpectedError,))
def raises_what_it_declares():
    raise ExpectedError("as usual")


@app.task(name="second_try_succeeds", bind=True, max_retries=3)
def second_try_succeeds(self):
    Order.objects.count()
    if not self.request.retries:
        raise self.retry(exc=PaymentError("later"), countdown=0.2)


@app.task(name="gives_up", bind=True, max_retries=2)
def gives_up(self):
    raise self.retry(exc=PaymentError("never"), countdown=0.2)


@app.task(name="retries_by_itself", autoretry_for=(requests.Timeout,), default_retry_delay=0.2)
def retries_by_itself():
    requests.get(f"{OUTSIDE}/quick", timeout=5)


@app.task(name="asks_outside_without_a_retry")
def asks_outside_without_a_retry():
    requests.get(f"{OUTSIDE}/quick", timeout=5)


@app.task(name="fails_outside_without_a_retry")
def fails_outside_without_a_retry():
    requests.get(f"{OUTSIDE}/slow?wait_ms=800", timeout=0.2)


@app.task(name="is_ignored")
def is_ignored():
    raise Ignore


@app.task(name="is_rejected", acks_late=True)
def is_rejected():
    raise Reject("not mine", requeue=False)


@app.task(name="passes_its_soft_limit", soft_time_limit=0.5)
def passes_its_soft_limit():
    time.sleep(3)


@app.task(name="tidies_up_at_its_soft_limit", soft_time_limit=0.5)
def tidies_up_at_its_soft_limit():
    with contextlib.suppress(SoftTimeLimitExceeded):
        time.sleep(3)


@app.task(name="passes_its_hard_limit", time_limit=1)
def passes_its_hard_limit():
    time.sleep(5)


@app.task(name="stays_within_its_limits", soft_time_limit=20, time_limit=30)
def stays_within_its_limits():
    return Order.objects.count()


@app.task(name="indexes_one")
def indexes_one(number):
    return Product.objects.filter(pk=number).count()


@app.task(name="indexes_each_in_a_task")
def indexes_each_in_a_task():
    for number in range(1, 13):
        indexes_one.delay(number)


@app.task(name="adds_up")
def adds_up(numbers):
    return sum(numbers)


@app.task(name="counts_in_a_chord")
def counts_in_a_chord():
    chord(indexes_one.s(number) for number in range(1, 7))(adds_up.s())


@app.task(name="exports")
def exports():
    """A report in a task: some statements, each of them needed."""
    for item in Item.objects.select_related("product", "order__customer").iterator(chunk_size=20):
        str(item.product.name)
