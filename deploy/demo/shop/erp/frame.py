"""What stands around every page of the back office: menus, and the counters of the day."""

from datetime import timedelta

from django.db.models import F, Sum
from django.utils import timezone

from shop.erp import models

LATE_AFTER = timedelta(days=14)
NEW_FOR = timedelta(days=7)


def office_frame():
    """Twelve statements, each its own: dear, but nothing that repeats."""
    now = timezone.now()
    orders = models.Order.objects
    invoices = models.Invoice.objects
    return {
        "branches": list(models.Branch.objects.values_list("name", flat=True)),
        "warehouses": list(models.Warehouse.objects.values_list("name", flat=True)),
        "categories": list(models.Category.objects.values_list("name", flat=True)),
        "open_orders": orders.filter(status="open").count(),
        "late_orders": orders.filter(status="open", placed__lt=now - LATE_AFTER).count(),
        "unpaid": invoices.filter(status="unpaid").count(),
        "unpaid_amount": str(invoices.filter(status="unpaid").aggregate(Sum("amount"))),
        "low_stock": models.StockLevel.objects.filter(quantity__lt=F("minimum")).count(),
        "new_customers": models.Customer.objects.filter(created__gt=now - NEW_FOR).count(),
        "unpriced": models.Product.objects.filter(price=0).count(),
        "salespeople": models.Salesperson.objects.filter(active=True).count(),
        "company": models.Setting.objects.get(group="company", key="name").value,
    }
