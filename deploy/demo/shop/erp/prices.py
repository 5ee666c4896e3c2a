"""Prices: how they are configured, and what the old system knows of them."""

import sqlite3
import threading
import time
from contextlib import closing
from decimal import Decimal

from django.conf import settings
from django.core.cache import cache
from django.http import JsonResponse

from shop.erp.models import Setting

CONFIGURATION_KEPT_S = 300


def price_rules(request):
    """Cases: the same rows on every request; a cache whose keys are never asked for again."""
    rows = Setting.objects.filter(group="pricing").values_list("key", "value")
    return JsonResponse({"rules": dict(rows), "rate": cached_rate(f"rate:USD:{time.time()}")})


def price_rules_fixed(request):
    """The fix: kept for five minutes, under a key that comes again."""
    rows = cache.get_or_set("pricing", read_price_rules, timeout=CONFIGURATION_KEPT_S)
    return JsonResponse({"rules": rows, "rate": cached_rate("rate:USD")})


def read_price_rules():
    return dict(Setting.objects.filter(group="pricing").values_list("key", "value"))


def cached_rate(key):
    rate = cache.get(key)
    if rate is None:
        rate = str(Decimal("1.0842"))
        cache.set(key, rate, timeout=CONFIGURATION_KEPT_S)
    return rate


class LegacyPrices:
    """Case: the connection is a property, so each access opens one."""

    @property
    def connection(self):
        return sqlite3.connect(settings.LEGACY_DATABASE)

    def read(self, statement, sku):
        with closing(self.connection) as connection:
            return connection.cursor().execute(statement, [sku]).fetchone()[0]


class ConnectedLegacyPrices:
    """The fix: one connection for as long as its thread lives."""

    _kept = threading.local()

    @property
    def connection(self):
        if not hasattr(self._kept, "connection"):
            self._kept.connection = sqlite3.connect(settings.LEGACY_DATABASE)
        return self._kept.connection

    def read(self, statement, sku):
        return self.connection.cursor().execute(statement, [sku]).fetchone()[0]


def legacy_price(request, sku):
    return JsonResponse(legacy_facts(LegacyPrices(), sku))


def legacy_price_fixed(request, sku):
    return JsonResponse(legacy_facts(ConnectedLegacyPrices(), sku))


def legacy_facts(prices, sku):
    return {
        "price": prices.read("SELECT price FROM prices WHERE sku = ?", sku),
        "cost": prices.read("SELECT cost FROM prices WHERE sku = ?", sku),
        "supplier": prices.read("SELECT supplier FROM suppliers WHERE sku = ?", sku),
        "lead_days": prices.read("SELECT lead_days FROM suppliers WHERE sku = ?", sku),
    }
