import os

from django.http import JsonResponse

from books import tasks
from books.models import Author, Book


def books(request):
    titles = [
        f"{book} by {book.author}"  # one query each
        for book in Book.objects.order_by("pk")
    ]
    return JsonResponse({"books": titles})


async def async_books(request):
    count = await Book.objects.acount()
    first = await Author.objects.order_by("pk").afirst()
    return JsonResponse({"count": count, "first": first.name})


def buy(request, pk):
    tasks.buy.delay(pk)
    return JsonResponse({"bought": pk})


def process(request):
    return JsonResponse({"pid": os.getpid()})
