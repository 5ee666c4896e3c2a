"""Views that answer in every way."""

import functools
import time

import requests
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.core.cache import cache, caches
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.template.loader import render_to_string
from django.urls import path
from django.views import View

from books.models import Author, Book
from books.tasks import buy


def text(request):
    return HttpResponse("x" * 200_000)


class Listing(View):
    def get(self, request):
        return HttpResponse("[]", content_type="application/json")


def absent(request):
    raise Http404


def forbidden(request):
    raise PermissionDenied


def broken(request):
    raise ZeroDivisionError


def stream(request):
    def lines():
        for book in Book.objects.order_by("pk"):
            yield f"{book.author}\n"

    return StreamingHttpResponse(lines())


async def async_stream(request):
    async def lines():
        async for book in Book.objects.order_by("pk"):
            yield f"{book}\n"

    return StreamingHttpResponse(lines())


def broken_stream(request):
    def lines():
        yield "a line"
        raise ZeroDivisionError

    return StreamingHttpResponse(lines())


def cached(request):
    cache.clear()
    cache.get("book:1")
    cache.set("book:1", "A book")
    cache.get("book:1")
    cache.get_or_set("book:2", "Another")
    cache.get_many(key for key in ("book:1", "book:2", "book:3"))
    return HttpResponse()


async def cached_async(request):
    await cache.aclear()
    await cache.aget("book:1")
    await cache.aset("book:1", "A book")
    await cache.aget("book:1")
    return HttpResponse()


def slow_cache(request):
    caches["slow"].get("user:jane@example.com:page:7")
    return HttpResponse()


def rendered(request):
    books = Book.objects.order_by("pk")
    return HttpResponse(render_to_string("books/list.html", {"books": books}))


def rendered_slowly(request):
    return HttpResponse(render_to_string("books/slow.html", {"wait": lambda: time.sleep(0.03)}))


def rendered_by_jinja(request):
    context = {"books": Book.objects.order_by("pk"), "wait": lambda: time.sleep(0.03)}
    return HttpResponse(render_to_string("books/list.jinja", context, request))


def signed_in(request):
    user, _ = User.objects.get_or_create(username="jane@example.com")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponse()


def of_a_user(request):
    return HttpResponse(request.user.get_username())


def of_nobody(request):
    return HttpResponse()


def everything(request):
    cache.get("book:1")
    signed_in(request)
    with transaction.atomic():
        Book.objects.filter(pk=1, copies=-1).update(copies=7)
    Author.objects.create(name="Notified")  # by a signal that calls
    requests.post(f"{settings.CARRIER_URL}/parcels?token=SECRET123", data=b"", timeout=5)
    buy.apply((1,))
    return HttpResponse(render_to_string("books/list.html", {"books": Book.objects.all()}))


def _page(name, view):
    return path(f"{name}/", view)


urlpatterns = [
    _page("text", text),
    _page("listing", Listing.as_view()),
    _page("partial", functools.partial(text)),
    _page("absent", absent),
    _page("forbidden", forbidden),
    _page("broken", broken),
    _page("stream", stream),
    _page("async_stream", async_stream),
    _page("broken_stream", broken_stream),
    _page("cached", cached),
    _page("cached_async", cached_async),
    _page("slow_cache", slow_cache),
    _page("rendered", rendered),
    _page("rendered_slowly", rendered_slowly),
    _page("rendered_by_jinja", rendered_by_jinja),
    _page("signed_in", signed_in),
    _page("of_a_user", of_a_user),
    _page("of_nobody", of_nobody),
    _page("everything", everything),
]
