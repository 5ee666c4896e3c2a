"""Listings: customers, the catalogue, products, invoices."""

from django.core.paginator import Paginator
from django.http import JsonResponse
from django.shortcuts import get_object_or_404

from shop.erp.models import Customer, Invoice, Product

PAGE_SIZE = 50


def customer_list(request):
    """Case: a listing without a page."""
    customers = Customer.objects.order_by("name")
    return JsonResponse({"customers": [customer_row(customer) for customer in customers]})


def customer_list_fixed(request):
    """The fix: a page of it."""
    page = Paginator(Customer.objects.order_by("name"), PAGE_SIZE).get_page(request.GET.get("page"))
    return JsonResponse({"customers": [customer_row(customer) for customer in page]})


def customer_row(customer):
    return {"id": customer.pk, "name": customer.name, "city": customer.city}


def catalogue(request):
    """Case: some 480 kB, as they are. The fix is GZipMiddleware, in the settings of 1.1.0."""
    products = Product.objects.values("sku", "name", "description")
    return JsonResponse({"products": list(products)})


def product_list(request):
    """Clean: counting is what a page needs, and differs from reading it."""
    paginator = Paginator(Product.objects.select_related("category").order_by("sku"), PAGE_SIZE)
    page = paginator.get_page(request.GET.get("page"))
    rows = [{"sku": product.sku, "category": product.category.name} for product in page]
    return JsonResponse({"pages": paginator.num_pages, "products": rows})


def product_detail(request, pk):
    """Clean: two statements, and a 404 for what is not there."""
    product = get_object_or_404(Product.objects.select_related("category"), pk=pk)
    sizes = list(product.variants.values_list("size", flat=True))
    return JsonResponse(
        {"name": product.name, "category": product.category.name, "sizes": sizes},
    )


def invoice_list(request):
    """Case: counted, then read, then read again for the sum."""
    unpaid = Invoice.objects.filter(status="unpaid").order_by("number")
    count = unpaid.count()
    numbers = [invoice.number for invoice in unpaid.all()]
    amount = sum(invoice.amount for invoice in unpaid.all())
    return JsonResponse({"count": count, "invoices": numbers, "amount": str(amount)})


def invoice_list_fixed(request):
    """The fix: read once."""
    unpaid = list(Invoice.objects.filter(status="unpaid").order_by("number"))
    numbers = [invoice.number for invoice in unpaid]
    amount = sum(invoice.amount for invoice in unpaid)
    return JsonResponse({"count": len(unpaid), "invoices": numbers, "amount": str(amount)})
