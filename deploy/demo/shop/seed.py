"""The shop's rows: always the same, and as many as the audits' query counts ask for."""

import itertools
import random
import sqlite3
from contextlib import closing
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from shop.chat import models as chat
from shop.erp import models as erp

# 6 orders of 34 items: 204 products to load, in a page of 245 statements.
WHOLESALE_ORDERS = 6
ITEMS_PER_WHOLESALE_ORDER = 34
RETAIL_ORDERS = 600
ORDERS_PER_STATEMENT = 12
CUSTOMERS = 1200
PRODUCTS = 360
VARIANTS = 15
WAREHOUSES = 6
# 30 accounts, five levels below a root: 150 parents to walk to.
LEAF_ACCOUNTS = 30
ACCOUNT_DEPTH = 5
UNPAID_INVOICES = 80
LEDGER_ENTRIES = 300_000
ACTIVITIES = 10_000
CHUNKS_PER_PAGE = 12

WORDS = """
    solid oak steel frame washable cotton recycled matt black brushed brass hand made rounded
    edges stackable weather proof light quiet strong spare parts ten years warranty ships flat
"""


def fill():
    rng = random.Random(7)
    fill_people()
    fill_products(rng)
    fill_orders()
    fill_accounts()
    fill_ledger()
    fill_settings()
    fill_chat(rng)


def fill_people():
    branches = [erp.Branch(name=f"Branch {n}", city=f"City {n}") for n in range(1, 7)]
    branches = erp.Branch.objects.bulk_create(branches)
    erp.Salesperson.objects.bulk_create(
        erp.Salesperson(name=f"Seller {n}", branch=branches[n % 6]) for n in range(12)
    )
    created = timezone.now() - timedelta(days=30)
    erp.Customer.objects.bulk_create(
        erp.Customer(
            name=f"Customer {n:04}",
            email=f"customer{n}@shop.example",
            street=f"Street {n}",
            city=f"City {n % 40}",
            created=created,
        )
        for n in range(CUSTOMERS)
    )
    now = timezone.now()
    erp.Activity.objects.bulk_create(
        erp.Activity(employee=n % 40, kind="seen" if n < 40 else "page", at=now)
        for n in range(ACTIVITIES)
    )


def fill_products(rng):
    categories = erp.Category.objects.bulk_create(
        erp.Category(name=f"Category {n}") for n in range(12)
    )
    products = erp.Product.objects.bulk_create(
        erp.Product(
            sku=f"SKU-{n:04}",
            name=f"Product {n}",
            description=text(rng, words=197),
            category=categories[n % 12],
            price=10 + n,
        )
        for n in range(PRODUCTS)
    )
    variants = erp.Variant.objects.bulk_create(
        erp.Variant(product=product, size=f"size {n}")
        for product in products
        for n in range(VARIANTS)
    )
    warehouses = erp.Warehouse.objects.bulk_create(
        erp.Warehouse(name=f"Warehouse {n}") for n in range(WAREHOUSES)
    )
    stocked = variants[: 10 * VARIANTS]
    erp.StockLevel.objects.bulk_create(
        erp.StockLevel(warehouse=warehouse, variant=variant, quantity=(place * 7 + variant.pk) % 50)
        for place, warehouse in enumerate(warehouses)
        for variant in stocked
    )


def text(rng, *, words):
    return " ".join(rng.choices(WORDS.split(), k=words))


def fill_orders():
    customers = list(erp.Customer.objects.order_by("pk")[:50])
    sellers = list(erp.Salesperson.objects.order_by("pk"))
    branches = list(erp.Branch.objects.order_by("pk"))
    wholesale = [
        order(n, "wholesale", customers[n], sellers[n], branches[n])
        for n in range(WHOLESALE_ORDERS)
    ]
    retail = [
        order(
            100 + n,
            "retail",
            customers[n // ORDERS_PER_STATEMENT],
            sellers[n % 12],
            branches[n % 6],
        )
        for n in range(RETAIL_ORDERS)
    ]
    orders = erp.Order.objects.bulk_create(wholesale + retail)
    products = list(erp.Product.objects.order_by("pk")[:170])
    taken = itertools.cycle(products)
    erp.OrderItem.objects.bulk_create(
        erp.OrderItem(order=order, product=next(taken), quantity=3, price=20)
        for order in orders
        for _ in range(ITEMS_PER_WHOLESALE_ORDER if order.kind == "wholesale" else 2)
    )


def order(n, kind, customer, salesperson, branch):
    return erp.Order(
        number=f"{'W' if kind == 'wholesale' else 'R'}-{n:05}",
        kind=kind,
        status="open" if n % 3 else "shipped",
        customer=customer,
        salesperson=salesperson,
        branch=branch,
        placed=timezone.now() - timedelta(hours=n),
    )


def fill_accounts():
    erp.Invoice.objects.bulk_create(
        erp.Invoice(number=f"I-{n:04}", customer_id=1, status="unpaid", amount=100 + n)
        for n in range(UNPAID_INVOICES)
    )
    root = erp.Account.objects.create(code="0", name="All", kind="root")
    for branch in range(LEAF_ACCOUNTS // 3):
        parent = root
        for level in range(1, ACCOUNT_DEPTH):
            code = f"{branch:02}.{level}"
            parent = erp.Account.objects.create(
                code=code, name=f"Group {code}", kind="group", parent=parent
            )
        erp.Account.objects.bulk_create(
            erp.Account(
                code=f"{branch:02}.{ACCOUNT_DEPTH}.{n}",
                name=f"Account {n}",
                kind="asset" if branch % 2 else "cost",
                is_leaf=True,
                parent=parent,
            )
            for n in range(3)
        )


def fill_ledger():
    """By the database itself: Python would take too long for so many rows."""
    numbers = {
        "sqlite": "WITH RECURSIVE numbers(n) AS"
        " (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)",
        "postgresql": "WITH numbers(n) AS (SELECT generate_series(1, %s))",
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO erp_ledgerentry (reference, branch, status, booked_day, cents) "
            + numbers
            + " SELECT n / 2, n %% 6, CASE WHEN n %% 50 = 0 THEN 'open' ELSE 'closed' END,"
            " (n / 50) %% 80, n FROM numbers",
            [LEDGER_ENTRIES],
        )


def fill_settings():
    rows = [("company", "name", "The Shop"), *(("pricing", f"rule {n}", "1") for n in range(20))]
    erp.Setting.objects.bulk_create(
        erp.Setting(group=group, key=key, value=value) for group, key, value in rows
    )


def fill_chat(rng):
    authors = chat.Participant.objects.bulk_create(
        chat.Participant(name=name) for name in ("Customer", "Assistant", "Agent")
    )
    sites = chat.Site.objects.bulk_create(chat.Site(name=name) for name in ("shop", "help"))
    pages = chat.Page.objects.bulk_create(
        chat.Page(site=site, title=f"Page {n}") for site in sites for n in range(5)
    )
    chat.PageChunk.objects.bulk_create(
        chat.PageChunk(
            page=page,
            position=n,
            text=text(rng, words=40),
            html=text(rng, words=60),
            embedding=text(rng, words=60),
        )
        for page in pages
        for n in range(CHUNKS_PER_PAGE)
    )
    conversation = chat.Conversation.objects.create(customer_id=1)
    chat.Message.objects.bulk_create(
        chat.Message(conversation=conversation, author=authors[n % 3], text=text(rng, words=8))
        for n in range(12)
    )
    fill_assistant(conversation)


def fill_assistant(conversation):
    chat.Assistant.objects.bulk_create(
        chat.Assistant(kind=kind, text=f"Mind the {kind}.") for kind in ("prompt", "limit", "tone")
    )
    chat.Faq.objects.bulk_create(chat.Faq(question=f"Why {n}?", answer="So.") for n in range(8))
    chat.BlockedWord.objects.create(word="rubbish")
    chat.Synonym.objects.create(word="sofa", means="couch")
    chat.OpeningHour.objects.bulk_create(
        chat.OpeningHour(weekday=day, text="9 to 5") for day in range(5)
    )
    chat.Campaign.objects.create(name="Spring")
    chat.Usage.objects.create(conversation=conversation, tokens=100)
    chat.Feedback.objects.create(stars=4)


def fill_legacy():
    settings.LEGACY_DATABASE.unlink(missing_ok=True)
    with closing(sqlite3.connect(settings.LEGACY_DATABASE)) as legacy, legacy:
        legacy.execute("CREATE TABLE prices (sku TEXT, price INTEGER, cost INTEGER)")
        legacy.execute("CREATE TABLE suppliers (sku TEXT, supplier TEXT, lead_days INTEGER)")
        for n in range(20):
            sku = f"SKU-{n:04}"
            legacy.execute("INSERT INTO prices VALUES (?, ?, ?)", [sku, 1000 + n, 600 + n])
            legacy.execute("INSERT INTO suppliers VALUES (?, ?, ?)", [sku, f"Supplier {n}", 7])
