"""Stock: what lies where, and what comes in."""

import requests
from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, Subquery, Sum
from django.http import JsonResponse
from django.shortcuts import get_object_or_404

from shop.erp.models import GoodsReceipt, OrderItem, Product, StockLevel, Variant, Warehouse
from shop.erp.tasks import purge_cdn


def product_stock(request, pk):
    """Case: warehouses times variants, one statement for each pair."""
    product, variants, warehouses = stock_axes(pk)
    table = {}
    for warehouse in warehouses:
        for variant in variants:
            level = StockLevel.objects.get(warehouse=warehouse, variant=variant)
            table[f"{warehouse.name}/{variant.size}"] = level.quantity
    return JsonResponse({"product": product.name, "stock": table, "reserved": reserved(product)})


def product_stock_fixed(request, pk):
    """The fix: one statement for the whole table, a dict by pair."""
    product, variants, warehouses = stock_axes(pk)
    levels = StockLevel.objects.filter(warehouse__in=warehouses, variant__in=variants)
    by_pair = {(level.warehouse_id, level.variant_id): level.quantity for level in levels}
    table = {
        f"{warehouse.name}/{variant.size}": by_pair[warehouse.pk, variant.pk]
        for warehouse in warehouses
        for variant in variants
    }
    return JsonResponse({"product": product.name, "stock": table, "reserved": reserved(product)})


def stock_axes(pk):
    product = get_object_or_404(Product.objects.select_related("category"), pk=pk)
    return product, list(product.variants.order_by("pk")), list(Warehouse.objects.order_by("pk"))


def reserved(product):
    open_items = OrderItem.objects.filter(product=product, order__status="open")
    return open_items.aggregate(quantity=Sum("quantity"))["quantity"]


def receive_goods(request, pk):
    """Goods come in. What that costs is in the signal of GoodsReceipt."""
    receipt = GoodsReceipt.objects.create(product_id=pk, warehouse_id=1, quantity=10)
    return JsonResponse({"receipt": receipt.pk})


def goods_received(sender, instance, created, **kwargs):
    """Case: 20+ statements and a call to the CDN whenever a receipt is saved."""
    for variant in Variant.objects.filter(product=instance.product_id):
        total = StockLevel.objects.filter(variant=variant).aggregate(sum=Sum("quantity"))["sum"]
        Variant.objects.filter(pk=variant.pk).update(available=total)
    purge = {"path": f"/products/{instance.product_id}/"}
    requests.post(f"{settings.STUB_URL}/cdn/purge", json=purge, timeout=10)


def goods_received_fixed(sender, instance, created, **kwargs):
    """The fix: one UPDATE, and the CDN is told by a task once it is committed."""
    levels = StockLevel.objects.filter(variant=OuterRef("pk")).values("variant")
    total = levels.annotate(sum=Sum("quantity")).values("sum")
    variants = Variant.objects.filter(product=instance.product_id)
    variants.update(available=Subquery(total))
    transaction.on_commit(lambda: purge_cdn.delay(f"/products/{instance.product_id}/"))
