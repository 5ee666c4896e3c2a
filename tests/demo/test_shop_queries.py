"""The shop takes as many queries as the audits reported, before and after."""

import json
import os
import subprocess
import sys
import uuid
from dataclasses import asdict
from pathlib import Path

import pytest

from hotspan_demo.cases import CASES, CLEAN
from hotspan_demo.model import Request

COUNT_QUERIES = Path(__file__).with_name("count_queries.py")

PAGES = {
    trigger.entry: trigger
    for case in CASES
    for trigger in case.triggers
    if isinstance(trigger, Request)
}
CLEAN_PAGES = {clean.title: clean.trigger for clean in CLEAN if isinstance(clean.trigger, Request)}


def measure(requests, *, release, folder, stub_url, database_url):
    """Ask each page once, of a shop that is made for it, and return what each took."""
    asked = [asdict(request) for request in requests]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "SHOP_RELEASE": release,
        "SHOP_DATA_DIR": str(folder),
        "SHOP_STUB_URL": stub_url,
        "DATABASE_URL": database_url,
    }
    answer = subprocess.run(
        [sys.executable, COUNT_QUERIES, json.dumps(asked)],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(answer.stdout)


@pytest.fixture(scope="module", params=["1.0.0", "1.1.0"])
def release(request):
    return request.param


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
)
def database_url(request, release):
    """SQLite in the shop's folder, or a database of a server."""
    if request.param == "sqlite":
        yield ""
        return
    server = request.getfixturevalue("postgres_server")
    database = f"shop_{uuid.uuid4().hex}"
    yield server.create_database(database)
    server.drop_database(database)


@pytest.fixture(scope="module")
def measured(release, database_url, stub_url, tmp_path_factory):
    pages = PAGES | CLEAN_PAGES
    measures = measure(
        pages.values(),
        release=release,
        folder=tmp_path_factory.mktemp("shop"),
        stub_url=stub_url,
        database_url=database_url,
    )
    return dict(zip(pages, measures, strict=True))


@pytest.mark.parametrize(
    ("entry", "reported"),
    [
        ("GET erp/orders/", {"1.0.0": (210, 250), "1.1.0": (18, 22)}),
        ("GET erp/accounts/", {"1.0.0": (150, 180), "1.1.0": (15, 20)}),
        ("GET erp/products/<int:pk>/stock/", {"1.0.0": (80, 120), "1.1.0": (5, 8)}),
        ("GET erp/customers/<int:pk>/statement/", {"1.0.0": (13, 13), "1.1.0": (1, 1)}),
        ("POST erp/products/<int:pk>/receive/", {"1.0.0": (22, 40), "1.1.0": (2, 3)}),
        ("POST chat/conversations/<int:pk>/answer/", {"1.0.0": (30, 40), "1.1.0": (22, 24)}),
        ("GET erp/invoices/", {"1.0.0": (3, 3), "1.1.0": (1, 1)}),
        ("GET erp/prices/", {"1.0.0": (1, 1), "1.1.0": (1, 1)}),
    ],
)
def test_reported_counts(measured, release, entry, reported):
    """A page of a case takes as many queries as the audit reported, in either release."""
    fewest, most = reported[release]

    assert fewest <= measured[entry]["queries"] <= most


def test_order_list_repeats_one_statement(measured, release):
    """One statement of the order list runs 204 times in 1.0.0, and nothing repeats in 1.1.0."""
    expected = {"1.0.0": 204, "1.1.0": 1}[release]

    assert expected == measured["GET erp/orders/"]["most_repeated"]


@pytest.mark.parametrize("title", CLEAN_PAGES)
def test_clean_pages_are_frugal(measured, title):
    """A clean page stays below the budget of ten queries."""
    assert measured[title]["queries"] < 10


@pytest.mark.parametrize("page", [*PAGES, *CLEAN_PAGES])
def test_pages_answer(measured, page):
    """Every page answers, and only the product that is not there with a 404."""
    expected = 404 if page == "A product that is not there (404)" else 200

    assert expected == measured[page]["status"]


def test_catalogue_is_compressed_in_the_fix(measured, release):
    """The catalogue has some 480 kB; the fix sends less than 120."""
    fewest, most = {"1.0.0": (450_000, 510_000), "1.1.0": (50_000, 120_000)}[release]

    assert fewest <= measured["GET erp/catalogue/"]["bytes"] <= most
