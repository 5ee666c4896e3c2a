"""What the ERP's workers do: 19 of the shop's 28 tasks."""

import os
import signal
import time
from datetime import timedelta
from decimal import Decimal

import requests
from celery import shared_task
from django.conf import settings
from django.core.cache import cache
from django.db.models import F
from django.utils import timezone

from shop.erp import models
from shop.release import pick
from shop.retries import PROTECTED, TIMEOUT_S, UNPROTECTED_AT_FIRST


def ask(path, *, timeout=TIMEOUT_S):
    response = requests.get(f"{settings.STUB_URL}{path}", timeout=timeout)
    response.raise_for_status()
    return response.json()


def tell(path, body, *, timeout=TIMEOUT_S):
    response = requests.post(f"{settings.STUB_URL}{path}", json=body, timeout=timeout)
    response.raise_for_status()
    return response.json()


# Failing for a reason of its own, which no retry mends.


class BookingError(Exception):
    """Debit and credit differ."""


def invoice_sides(amount):
    """Case: tax is rounded line by line, so the sides differ by a cent."""
    tax = Decimal(str(amount)) * Decimal("0.19")
    return Decimal(str(amount)) + tax, (Decimal(str(amount)) + tax).quantize(Decimal("0.1"))


def invoice_sides_fixed(amount):
    """The fix: rounded once, both sides from the same sum."""
    total = (Decimal(str(amount)) * Decimal("1.19")).quantize(Decimal("0.01"))
    return total, total


@shared_task(**UNPROTECTED_AT_FIRST)
def post_invoice(number, amount):
    debit, credit = pick(invoice_sides, invoice_sides_fixed)(amount)
    if debit != credit:
        raise BookingError(f"Invoice {number}: debit {debit} and credit {credit} differ")
    models.Invoice.objects.filter(number=number).update(status="posted")


# Failing for a reason that passes.


@shared_task(**UNPROTECTED_AT_FIRST)
def sync_customer(pk):
    """Case: the CRM answers 503 to three in ten."""
    ask(f"/crm/customers/{pk}")


@shared_task(**UNPROTECTED_AT_FIRST)
def fetch_tracking(number):
    """Case: the carrier answers 503 at first."""
    ask(f"/carriers/tracking/{number}")


@shared_task(**UNPROTECTED_AT_FIRST)
def send_delivery_notice(order_number):
    """Case: less patience than the messenger needs, so this is a timeout."""
    pick(send_waiting_for_delivery, send_and_go)(order_number)


@shared_task(**UNPROTECTED_AT_FIRST)
def send_order_confirmation(order_number):
    send_and_go(order_number)


def send_waiting_for_delivery(order_number):
    tell("/whatsapp/messages", {"order": order_number}, timeout=1)


def send_and_go(order_number):
    """The fix: the messenger queues the message and answers at once."""
    tell("/whatsapp/messages?wait=no", {"order": order_number}, timeout=10)


@shared_task(**PROTECTED)
def sync_exchange_rates(key):
    """Unavailable once, then fine: what retries are for, and nothing to report."""
    ask(f"/rates/{key}")


@shared_task(**{**PROTECTED, "max_retries": 2})
def push_to_marketplace(sku):
    """Case: an interface that was switched off, so that all retries are in vain."""
    tell(f"/marketplace/{pick('v1', 'v2')}/offers", {"sku": sku})


# Ended by their limits, or by the operating system.


@shared_task(soft_time_limit=pick(1, 10), **UNPROTECTED_AT_FIRST)
def export_ledger():
    """Case: a soft limit that is shorter than the work (180 s in the audit)."""
    work_for(pick(4, 0.2))


@shared_task(time_limit=pick(1, 10), **UNPROTECTED_AT_FIRST)
def rebuild_search_index():
    """Case: a hard limit that is shorter than the work."""
    work_for(pick(4, 0.2))


@shared_task(**UNPROTECTED_AT_FIRST)
def render_catalogue():
    """Case: all pages in memory at once, until the kernel ends the process."""
    pick(run_out_of_memory, render_page_by_page)()


def run_out_of_memory():
    work_for(1.5)  # what the process did before has been exported by then
    os.kill(os.getpid(), signal.SIGKILL)


def render_page_by_page():
    work_for(0.1)


@shared_task(**UNPROTECTED_AT_FIRST)
def recalculate_discounts(customer):
    """Case: one task a customer, so that each waits for all before it; in 1.1.0 they are quick."""
    work_for(pick(0.5, 0.01))


def work_for(seconds):
    """Stands for work that nothing instruments."""
    time.sleep(seconds)


# Ordinary work.


@shared_task(**UNPROTECTED_AT_FIRST)
def purge_cdn(path):
    tell("/cdn/purge", {"path": path})


@shared_task(**UNPROTECTED_AT_FIRST)
def import_price_list():
    cache.set("prices:imported", len(ask("/suppliers/prices")), timeout=60)


@shared_task(**UNPROTECTED_AT_FIRST)
def clean_activity():
    oldest = timezone.now() - timedelta(days=90)
    models.Activity.objects.filter(at__lt=oldest).delete()


@shared_task(**PROTECTED)
def index_product(pk):
    product = models.Product.objects.select_related("category").get(pk=pk)
    tell("/search/documents", {"name": product.name, "category": product.category.name})


@shared_task(**PROTECTED)
def check_low_stock():
    low = models.StockLevel.objects.filter(quantity__lt=F("minimum")).count()
    cache.set("stock:low", low, timeout=60)


@shared_task(**PROTECTED)
def close_day(day):
    models.LedgerEntry.objects.filter(pk=day).update(status="closed")


@shared_task(**PROTECTED)
def archive_orders():
    models.Order.objects.filter(status="archivable").update(status="archived")


@shared_task(**PROTECTED)
def refresh_catalogue():
    cache.set("catalogue:products", models.Product.objects.count(), timeout=60)
