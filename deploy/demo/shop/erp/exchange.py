"""Clean ways to handle much: an export in chunks, an import in batches, calls side by side."""

import asyncio
import itertools

import requests
from django.conf import settings
from django.http import JsonResponse

from shop.erp.models import Invoice, Order

CHUNK_ROWS = 100
BATCH_ROWS = 50
CARRIERS = ("north", "south", "east", "west")


def export_orders(request):
    """Clean: read in chunks, the items of each chunk in one statement."""
    orders = Order.objects.filter(kind="retail").prefetch_related("items").order_by("pk")
    items = {
        order.number: len(order.items.all()) for order in orders.iterator(chunk_size=CHUNK_ROWS)
    }
    return JsonResponse({"orders": len(items), "items": sum(items.values())})


def import_invoices(request):
    """Clean: 300 rows in six statements."""
    rows = [
        Invoice(number=f"IMP-{n}", customer_id=1, status="draft", amount=n) for n in range(1, 301)
    ]
    Invoice.objects.bulk_create(rows, batch_size=BATCH_ROWS)
    return JsonResponse({"imported": len(rows)})


async def shipping_quotes(request):
    """Clean: the carriers are asked side by side, each with a timeout."""
    quotes = await asyncio.gather(*(asyncio.to_thread(quote, carrier) for carrier in CARRIERS))
    return JsonResponse({"quotes": quotes, "boxes": pack()})


def quote(carrier):
    response = requests.get(f"{settings.STUB_URL}/carriers/{carrier}/quote", timeout=5)
    return response.json()["cents"]


def pack():
    """The cheapest way to pack: all orders of seven boxes."""
    sizes = (3, 7, 2, 8, 5, 9, 4)
    return min(sum(a * b for a, b in itertools.pairwise(p)) for p in itertools.permutations(sizes))
