"""Time that passes without a statement or a call, and statements that take it."""

import time

from django.db import connection

from corpus_shop.models import Order
from corpus_shop.registry import work

_SLOW = {
    "postgresql": "SELECT count(*), pg_sleep(0.6) FROM corpus_shop_region LIMIT 1",
    "mysql": "SELECT SLEEP(0.6) FROM corpus_shop_region LIMIT 1",
    "sqlite": (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000000) "
        "SELECT max(i) FROM n"
    ),
}


@work
def sleeps():
    list(Order.objects.all())
    time.sleep(0.5)
    Order.objects.first()


@work
def computes():
    until = time.process_time() + 0.45
    while time.process_time() < until:
        sum(range(1000))


@work
def sleeps_a_little():
    list(Order.objects.all())
    time.sleep(0.1)


@work
def slow_statement():
    with connection.cursor() as cursor:
        cursor.execute(_SLOW[connection.vendor])
        cursor.fetchall()


@work
def health():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchall()
