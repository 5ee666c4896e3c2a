"""Views that answer in every way."""

import functools

from django.core.cache import cache, caches
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.views import View

from books.models import Book


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
]
