"""The cases of the audits as data: what triggers each, and which rule must find it where."""

from __future__ import annotations

from hotspan_demo.model import ANY_ENTRY, Case, Clean, Pair, Request, TaskRuns
from hotspan_demo.task_cases import TASK_CASES

__all__ = ["CASES", "CLEAN", "SERVICE_WIDE_RULES"]

# These are found once a service, in whichever entry comes: they say nothing about a page.
SERVICE_WIDE_RULES = frozenset({"debug_enabled", "duplicate_middleware", "instrumentation_gap"})

ORDER_LIST = "GET erp/orders/"
ACCOUNT_TREE = "GET erp/accounts/"
PRODUCT_STOCK = "GET erp/products/<int:pk>/stock/"
STATEMENT = "GET erp/customers/<int:pk>/statement/"
RECEIVE = "POST erp/products/<int:pk>/receive/"
CHAT_ANSWER = "POST chat/conversations/<int:pk>/answer/"
DASHBOARD = "GET erp/dashboard/"
CONFIRM = "POST erp/orders/<int:pk>/confirm/"
LEGACY_PRICE = "GET erp/prices/legacy/<str:sku>/"
PRICES = "GET erp/prices/"
CUSTOMERS = "GET erp/customers/"
CATALOGUE = "GET erp/catalogue/"
LEDGER_AUDIT = "GET erp/ledger/audit/"
INVOICES = "GET erp/invoices/"

WEB_CASES = (
    Case(
        id="order-list",
        title="Order list: customer, salesperson, branch, items, products lazily",
        triggers=(Request(method="GET", path="/erp/orders/", entry=ORDER_LIST, times=4),),
        pairs=(
            Pair(
                rule="n_plus_one",
                entry=ORDER_LIST,
                count=200,
                words=("select_related", "prefetch_related"),
                file="shop/erp/orders.py",
            ),
            Pair(
                rule="query_budget",
                entry=ORDER_LIST,
                count=1,
                remains="18-22 queries, as the audit left it, are above the budget of 10",
            ),
        ),
    ),
    Case(
        id="account-tree",
        title="Account tree: full_path walks the parents",
        triggers=(Request(method="GET", path="/erp/accounts/", entry=ACCOUNT_TREE),),
        pairs=(Pair(rule="query_chain", entry=ACCOUNT_TREE, file="shop/erp/accounts.py"),),
    ),
    Case(
        id="product-stock",
        title="Product stock: warehouses x variants, one query each",
        triggers=(Request(method="GET", path="/erp/products/1/stock/", entry=PRODUCT_STOCK),),
        pairs=(
            Pair(rule="query_product", entry=PRODUCT_STOCK, count=80, file="shop/erp/stock.py"),
        ),
    ),
    Case(
        id="order-total",
        title="Order total: summed up in a Python loop over items",
        triggers=(Request(method="GET", path="/erp/customers/1/statement/", entry=STATEMENT),),
        pairs=(
            Pair(
                rule="n_plus_one",
                entry=STATEMENT,
                count=12,
                words=("annotate", "prefetch_related"),
                file="shop/erp/orders.py",
            ),
        ),
    ),
    Case(
        id="stock-signal",
        title="Stock signal: 20+ queries and a CDN call on every save",
        triggers=(Request(method="POST", path="/erp/products/1/receive/", entry=RECEIVE),),
        pairs=(
            Pair(rule="n_plus_one", entry=RECEIVE, count=15, file="shop/erp/stock.py"),
            Pair(rule="write_loop", entry=RECEIVE, count=15, file="shop/erp/stock.py"),
            Pair(rule="external_call_in_request", entry=RECEIVE),
        ),
    ),
    Case(
        id="chat-answer",
        title="Chat answer: lazy relations, wide rows, a sleep in post_save, a slow model",
        triggers=(
            Request(
                method="POST",
                path="/chat/conversations/1/answer/",
                entry=CHAT_ANSWER,
                body={"text": "Is the oak table in stock?"},
            ),
        ),
        pairs=(
            Pair(rule="n_plus_one", entry=CHAT_ANSWER, count=6, file="shop/chat/answer.py"),
            Pair(rule="over_fetch", entry=CHAT_ANSWER),
            Pair(rule="blocking_time", entry=CHAT_ANSWER),
            Pair(rule="slow_external_call", entry=CHAT_ANSWER),
        ),
    ),
    Case(
        id="activity-middleware",
        title="Activity middleware: updates a row and cleans up on every request",
        triggers=(
            Request(
                method="GET",
                path="/erp/dashboard/",
                entry=DASHBOARD,
                headers={"X-Employee": "7"},
                times=12,
            ),
        ),
        pairs=(
            # Of a middleware there is one violation, whichever pages it slows.
            Pair(rule="slow_middleware", entry=ANY_ENTRY),
            Pair(rule="write_on_read", entry=DASHBOARD),
        ),
    ),
    Case(
        id="settings",
        title="A middleware registered twice; DEBUG=True in production",
        triggers=(),
        pairs=(
            Pair(rule="duplicate_middleware", entry=ANY_ENTRY),
            Pair(rule="debug_enabled", entry=ANY_ENTRY),
        ),
    ),
    Case(
        id="notification",
        title="Notification without timeout, inside a request and inside a transaction",
        triggers=(Request(method="POST", path="/erp/orders/7/confirm/", entry=CONFIRM),),
        pairs=(
            Pair(rule="missing_timeout", entry=CONFIRM),
            Pair(rule="external_call_in_request", entry=CONFIRM),
            Pair(rule="external_call_in_transaction", entry=CONFIRM),
            Pair(rule="slow_external_call", entry=CONFIRM),
        ),
    ),
    Case(
        id="external-database",
        title="External database connected in a property",
        triggers=(Request(method="GET", path="/erp/prices/legacy/SKU-0001/", entry=LEGACY_PRICE),),
        pairs=(Pair(rule="connection_churn", entry=LEGACY_PRICE, count=3),),
    ),
    Case(
        id="configuration",
        title="The same configuration rows read on every request; a cache that never hits",
        triggers=(Request(method="GET", path="/erp/prices/", entry=PRICES, times=12),),
        pairs=(
            Pair(rule="cacheable_query", entry=PRICES),
            Pair(rule="cache_hit_rate", entry=PRICES),
        ),
    ),
    Case(
        id="listings",
        title="List pages without pagination; responses of some 480 kB uncompressed",
        triggers=(
            Request(
                method="GET",
                path="/erp/customers/",
                entry=CUSTOMERS,
                headers={"Accept-Encoding": "gzip"},
            ),
            Request(
                method="GET",
                path="/erp/catalogue/",
                entry=CATALOGUE,
                headers={"Accept-Encoding": "gzip"},
            ),
        ),
        pairs=(
            Pair(rule="unbounded_result", entry=CUSTOMERS),
            Pair(rule="large_response", entry=CATALOGUE),
        ),
    ),
    Case(
        id="missing-index",
        title="Filtered columns without an index",
        triggers=(Request(method="GET", path="/erp/ledger/audit/", entry=LEDGER_AUDIT, times=5),),
        pairs=(Pair(rule="slow_query", entry=LEDGER_AUDIT, file="shop/erp/ledger.py"),),
    ),
    Case(
        id="count-then-read",
        title="Reads count(), then iterates",
        triggers=(Request(method="GET", path="/erp/invoices/", entry=INVOICES),),
        pairs=(Pair(rule="duplicate_query", entry=INVOICES, count=2),),
    ),
)

CASES = (*WEB_CASES, *TASK_CASES)

CLEAN = (
    Clean(
        title="Health check",
        trigger=Request(method="GET", path="/health/", entry="GET health/", times=10),
    ),
    Clean(
        title="One order with its items",
        trigger=Request(method="GET", path="/erp/orders/7/", entry="GET erp/orders/<int:pk>/"),
    ),
    Clean(
        title="A page of products, counted and read",
        trigger=Request(method="GET", path="/erp/products/?page=2", entry="GET erp/products/"),
    ),
    Clean(
        title="One product",
        trigger=Request(method="GET", path="/erp/products/3/", entry="GET erp/products/<int:pk>/"),
    ),
    Clean(
        title="A product that is not there (404)",
        trigger=Request(
            method="GET", path="/erp/products/99999/", entry="GET erp/products/<int:pk>/"
        ),
    ),
    Clean(
        title="Export by iterator, items prefetched in chunks",
        trigger=Request(method="GET", path="/erp/export/orders/", entry="GET erp/export/orders/"),
    ),
    Clean(
        title="Import by bulk_create in batches",
        trigger=Request(
            method="POST", path="/erp/invoices/import/", entry="POST erp/invoices/import/"
        ),
    ),
    Clean(
        title="Carriers asked side by side",
        trigger=Request(
            method="GET", path="/erp/shipping/quotes/", entry="GET erp/shipping/quotes/"
        ),
    ),
    Clean(
        title="A task that succeeds",
        trigger=TaskRuns(task="shop.erp.tasks.index_product", runs=((1,), (2,), (3,))),
    ),
    Clean(
        title="A task that only asks the database",
        trigger=TaskRuns(task="shop.erp.tasks.check_low_stock", runs=((), (), ())),
    ),
    Clean(
        title="A task that succeeds at its second try",
        trigger=TaskRuns(
            task="shop.erp.tasks.sync_exchange_rates", runs=(("USD",), ("CHF",)), entries=2
        ),
        # Every other run of it is a retry, here by design.
        except_rules=frozenset({"task_retry_storm"}),
    ),
)
