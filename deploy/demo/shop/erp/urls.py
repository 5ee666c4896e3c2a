from django.urls import path

from shop.erp import accounts, exchange, jobs, ledger, listings, orders, prices, stock
from shop.release import pick

urlpatterns = [
    path("orders/", pick(orders.order_list, orders.order_list_fixed)),
    path("orders/<int:pk>/", orders.order_detail),
    path("orders/<int:pk>/confirm/", pick(orders.confirm_order, orders.confirm_order_fixed)),
    path("customers/", pick(listings.customer_list, listings.customer_list_fixed)),
    path("customers/<int:pk>/statement/", pick(orders.statement, orders.statement_fixed)),
    path("accounts/", pick(accounts.account_tree, accounts.account_tree_fixed)),
    path("catalogue/", listings.catalogue),
    path("products/", listings.product_list),
    path("products/<int:pk>/", listings.product_detail),
    path("products/<int:pk>/stock/", pick(stock.product_stock, stock.product_stock_fixed)),
    path("products/<int:pk>/receive/", stock.receive_goods),
    path("invoices/", pick(listings.invoice_list, listings.invoice_list_fixed)),
    path("invoices/import/", exchange.import_invoices),
    path("prices/", pick(prices.price_rules, prices.price_rules_fixed)),
    path("prices/legacy/<str:sku>/", pick(prices.legacy_price, prices.legacy_price_fixed)),
    path("ledger/audit/", ledger.ledger_audit),
    path("dashboard/", jobs.dashboard),
    path("jobs/", jobs.start_job),
    path("export/orders/", exchange.export_orders),
    path("shipping/quotes/", exchange.shipping_quotes),
]
