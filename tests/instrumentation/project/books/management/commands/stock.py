from django.core.management.base import BaseCommand

from books import tasks
from books.models import Author, Book


class Command(BaseCommand):
    """Put two books on the shelf, and sell some through the queue when asked."""

    def add_arguments(self, parser):
        parser.add_argument("--sell", type=int, default=0)

    def handle(self, *args, sell, **options):
        if sell:
            for _ in range(sell):
                tasks.buy.delay(1)
        else:
            for name in ("Ursula", "Iain"):
                author = Author.objects.create(name=name)
                Book.objects.create(title=f"A book of {name}", author=author)
