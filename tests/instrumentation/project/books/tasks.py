from celery import shared_task
from django.db.models import F

from books.models import Book


@shared_task
def buy(pk):
    Book.objects.filter(pk=pk).update(copies=F("copies") - 1)
