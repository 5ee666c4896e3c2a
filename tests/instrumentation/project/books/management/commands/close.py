import sys

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from books.models import Book


class Command(BaseCommand):
    help = "Look at each book's author, with another command's help; end in the way that is named."

    def add_arguments(self, parser):
        parser.add_argument("way")

    def handle(self, *args, way, **options):
        for book in Book.objects.order_by("pk"):
            self.stdout.write(book.author.name)
        call_command("check", verbosity=0)
        if way == "error":
            raise CommandError("the till is not closed")
        if way == "status":
            sys.exit(3)
