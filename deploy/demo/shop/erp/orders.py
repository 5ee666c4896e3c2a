"""Orders: the list, one order, and confirming it."""

import requests
from django.conf import settings
from django.db import transaction
from django.db.models import Max, Sum
from django.http import JsonResponse
from django.shortcuts import get_object_or_404

from shop.erp.frame import office_frame
from shop.erp.models import Invoice, Order, OrderItem, Salesperson
from shop.erp.tasks import send_order_confirmation

# A wholesale order has dozens of lines, so a page has few orders.
PAGE_SIZE = 6


def order_list(request):
    """Case: customer, salesperson, branch, items and their products, each loaded on its own."""
    orders = Order.objects.filter(kind="wholesale").order_by("-placed")[:PAGE_SIZE]
    return JsonResponse({**order_list_frame(), "orders": [order_row(order) for order in orders]})


def order_list_fixed(request):
    """The fix: three statements for all of it."""
    orders = (
        Order.objects.filter(kind="wholesale")
        .select_related("customer", "salesperson", "branch")
        .prefetch_related("items__product")
        .order_by("-placed")[:PAGE_SIZE]
    )
    return JsonResponse({**order_list_frame(), "orders": [order_row(order) for order in orders]})


def order_row(order):
    return {
        "number": order.number,
        "customer": order.customer.name,
        "salesperson": order.salesperson.name,
        "branch": order.branch.name,
        "items": [item_row(item) for item in order.items.all()],
    }


def item_row(item):
    return {"product": item.product.name, "quantity": item.quantity, "price": str(item.price)}


def order_list_frame():
    return {
        **office_frame(),
        "statuses": list(Order.objects.values_list("status", flat=True).distinct()),
        "sellers": list(Salesperson.objects.values_list("name", flat=True)),
        "lines": OrderItem.objects.filter(quantity__gt=100).count(),
        "largest_invoice": str(Invoice.objects.aggregate(Max("amount"))["amount__max"]),
    }


def order_detail(request, pk):
    """Clean: one order with all that belongs to it, in two statements."""
    order = get_object_or_404(Order.objects.select_related("customer", "branch"), pk=pk)
    items = order.items.select_related("product").order_by("pk")
    return JsonResponse(
        {
            "number": order.number,
            "customer": order.customer.name,
            "branch": order.branch.name,
            "items": [item_row(item) for item in items],
        }
    )


def confirm_order(request, pk):
    """Case: a message without timeout, inside the request and inside the transaction."""
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=pk)
        order.status = "confirmed"
        order.save(update_fields=["status"])
        requests.post(f"{settings.STUB_URL}/whatsapp/messages", json={"order": order.number})
    return JsonResponse({"status": order.status})


def confirm_order_fixed(request, pk):
    """The fix: the order is stored, then a task with timeout and retries tells the customer."""
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=pk)
        order.status = "confirmed"
        order.save(update_fields=["status"])
        transaction.on_commit(lambda: send_order_confirmation.delay(order.number))
    return JsonResponse({"status": order.status})


def statement(request, pk):
    """Case: the total of each order is summed up in Python, over items loaded order by order."""
    totals = {}
    for order in Order.objects.filter(customer_id=pk, kind="retail"):
        totals[order.number] = str(sum(item.price for item in order.items.all()))
    return JsonResponse(totals)


def statement_fixed(request, pk):
    """The fix: the database sums up."""
    orders = Order.objects.filter(customer_id=pk, kind="retail")
    totals = orders.annotate(total=Sum("items__price")).values_list("number", "total")
    return JsonResponse({number: str(total) for number, total in totals})
