import os

import requests
from django.conf import settings
from django.http import JsonResponse

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


def ship(request):
    answer = requests.post(f"{settings.CARRIER_URL}/parcels", data=b"", timeout=5)
    return JsonResponse({"status": answer.status_code})


def process(request):
    return JsonResponse({"pid": os.getpid()})
