"""What arrives of each case of the shop's pages: gunicorn's processes, the real exporter."""

import pytest

from hotspan_demo.cases import WEB_CASES
from support.attributes_table import undocumented
from support.demo_shop import DemoShop
from support.span_attributes import attributes
from support.span_tree import folded_tree

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

# In the order of the cases: the first one opens the connection that the others use.
TREES = {
    "GET erp/orders/": """\
server GET erp/orders/
  client connect @ shop.erp.frame.office_frame
  client SELECT @ shop.erp.frame.office_frame x 12
  client SELECT @ shop.erp.orders.order_list_frame x 4
  client SELECT @ shop.erp.orders.order_list
  client SELECT @ shop.erp.orders.order_row x 24
  client SELECT @ shop.erp.orders.item_row x 204""",
    "GET erp/accounts/": """\
server GET erp/accounts/
  client SELECT @ shop.erp.accounts.account_tree
  client SELECT @ shop.erp.accounts.full_path x 150
  client SELECT @ shop.erp.frame.office_frame x 12
  client SELECT @ shop.erp.accounts.account_frame x 2""",
    "GET erp/products/<int:pk>/stock/": """\
server GET erp/products/<int:pk>/stock/
  client SELECT @ shop.erp.stock.stock_axes x 3
  client SELECT @ shop.erp.stock.product_stock x 90
  client SELECT @ shop.erp.stock.reserved""",
    "GET erp/customers/<int:pk>/statement/": """\
server GET erp/customers/<int:pk>/statement/
  client SELECT @ shop.erp.orders.statement x 13""",
    "POST erp/products/<int:pk>/receive/": """\
server POST erp/products/<int:pk>/receive/
  client INSERT @ shop.erp.stock.receive_goods
  client SELECT @ shop.erp.stock.goods_received x 16
  client UPDATE @ shop.erp.stock.goods_received x 15
  client POST @ shop.erp.stock.goods_received""",
    "POST chat/conversations/<int:pk>/answer/": """\
server POST chat/conversations/<int:pk>/answer/
  client SELECT @ shop.chat.answer.receive
  client INSERT @ shop.chat.answer.receive
  client SELECT @ shop.chat.answer.assistant_knowledge x 9
  client SELECT @ shop.chat.answer.customer_knowledge x 5
  client SELECT @ shop.chat.answer.answer x 4
  client SELECT @ shop.chat.answer.answer.<locals>.<listcomp> x 14
  client POST @ shop.chat.answer.ask_model
  client INSERT @ shop.chat.answer.store_answer x 2
  client UPDATE @ shop.chat.answer.store_answer""",
    "GET erp/dashboard/": """\
server GET erp/dashboard/
  client UPDATE @ shop.middleware.ActivityMiddleware.__call__
  client SELECT @ shop.middleware.ActivityMiddleware.clean_up
  client SELECT @ shop.erp.jobs.dashboard""",
    "POST erp/orders/<int:pk>/confirm/": """\
server POST erp/orders/<int:pk>/confirm/
  internal transaction @ shop.erp.orders.confirm_order
  client BEGIN @ shop.erp.orders.confirm_order
  client SELECT @ shop.erp.orders.confirm_order
  client UPDATE @ shop.erp.orders.confirm_order
  client POST @ shop.erp.orders.confirm_order""",
    "GET erp/prices/legacy/<str:sku>/": """\
server GET erp/prices/legacy/<str:sku>/
  client connect @ shop.erp.prices.LegacyPrices.connection x 4
  client SELECT @ shop.erp.prices.LegacyPrices.read x 4""",
    "GET erp/prices/": """\
server GET erp/prices/
  client SELECT @ shop.erp.prices.price_rules""",
    "GET erp/customers/": """\
server GET erp/customers/
  client SELECT @ shop.erp.listings.customer_list""",
    "GET erp/catalogue/": """\
server GET erp/catalogue/
  client SELECT @ shop.erp.listings.catalogue""",
    "GET erp/ledger/audit/": """\
server GET erp/ledger/audit/
  client SELECT @ shop.erp.ledger.ledger_audit""",
    "GET erp/invoices/": """\
server GET erp/invoices/
  client SELECT @ shop.erp.listings.invoice_list x 3""",
}
# One thread: with more, which of them opens a connection of its own is chance.
OPTIONS = ((), ("--worker-class", "gthread", "--threads", "1"), ("--preload",))
PAGES = [trigger for case in WEB_CASES for trigger in case.triggers]


@pytest.fixture(scope="module", params=OPTIONS, ids=["sync", "gthread", "preload"])
def trees(request, tmp_path_factory, stub_url, shared_sink):
    """The tree of each case, by the name of its entry."""
    shop = DemoShop(tmp_path_factory.mktemp("shop"), shared_sink, stub_url)
    try:
        shop.prepare()
        shop.start_web(*request.param)
        yield {page.entry: _tree(shop, page) for page in PAGES}
    finally:
        shop.end()


def _tree(shop, page):
    trace_id = shop.ask(page.method, page.path, body=page.body, headers=page.headers)
    entry = page.entry
    return folded_tree(
        shop.trace(trace_id, complete=lambda spans: any(span.name == entry for span in spans))
    )


@pytest.mark.parametrize("entry", [page.entry for page in PAGES])
def test_tree(trees, entry):
    """Each case leaves the spans that its rules read, and no others."""
    expected = TREES[entry]

    assert trees[entry] == expected


def test_attributes(trees, shared_sink):
    """Whatever the shop's pages send is in the table of attributes."""
    arrived = {name for span in shared_sink.spans() for name in attributes(span)}

    assert len(trees) == len(TREES)
    assert {"hotspan.db.param_hash", "hotspan.client.timeout_s", "url.template"} <= arrived
    assert undocumented(arrived) == set()
