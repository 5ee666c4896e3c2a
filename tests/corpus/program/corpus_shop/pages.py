"""Pages whose answer is the point."""

from django.contrib.auth import authenticate, login
from django.core.paginator import Paginator
from django.db import connections
from django.http import Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render

from corpus_shop.models import Customer, Item, LogLine, Order, Product
from corpus_shop.registry import page


@page
def signs_in(request):
    login(request, authenticate(request, username="jane", password="secret"))
    return HttpResponse("welcome")


@page
def asks_who_it_is(request):
    """Session, user, permissions: one statement each, at each request."""
    allowed = request.user.has_perm("corpus_shop.add_order")
    return HttpResponse(f"{request.user.username} {allowed} {request.user.get_all_permissions()}")


@page
def one_page_of_a_listing(request):
    orders = Order.objects.select_related("customer").order_by("pk")
    shown = Paginator(orders, 5).get_page(2)
    return HttpResponse(", ".join(order.customer.name for order in shown))


@page
def template_asks_for_each_row(request):
    return render(request, "orders.html", {"orders": Order.objects.order_by("pk")[:10]})


@page
def template_with_all_it_needs(request):
    orders = Order.objects.select_related("customer").prefetch_related("items").order_by("pk")
    return render(request, "orders.html", {"orders": orders[:10]})


@page
def all_rows_at_once(request):
    return HttpResponse(str(sum(len(line.text) for line in LogLine.objects.all()[:1200])))


@page
def streams_all_rows(request):
    lines = LogLine.objects.order_by("pk")[:1400].iterator(chunk_size=200)
    return StreamingHttpResponse(f"{line.text}\n" for line in lines)


@page
def streams_pages(request):
    def pages():
        for first in range(0, 1000, 200):
            lines = LogLine.objects.order_by("pk")[first : first + 200]
            yield "\n".join(line.text for line in lines)

    return StreamingHttpResponse(pages())


@page
def big_answer(request):
    """To a client that takes it as it is; with gzip it is `big_answer_compressed`."""
    return JsonResponse({"lines": [f"line {n} of many" for n in range(9000)]})


@page
def big_answer_compressed(request):
    return JsonResponse({"lines": [f"line {n} of many" for n in range(9000)]})


@page
def not_there(request):
    get_object_or_404(Order, pk=-1)


@page
def not_there_at_all(request):
    raise Http404


@page
def fails(request):
    Order.objects.count()
    raise ZeroDivisionError("for the corpus")


@page
def connects_again_and_again(request):
    for model in (Order, Item, Customer, Product):
        connections["default"].close()
        model.objects.count()
    return HttpResponse("done")


@page
async def async_loop(request):
    names = [order.customer_id async for order in Order.objects.order_by("pk")[:8]]
    return HttpResponse(str([await Order.objects.filter(customer=key).acount() for key in names]))


@page
async def async_listing(request):
    orders = Order.objects.select_related("customer").order_by("pk")
    return HttpResponse(str([order.customer.name async for order in orders]))
