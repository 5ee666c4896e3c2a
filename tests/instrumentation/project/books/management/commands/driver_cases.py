"""What the database drivers have in common, and their ways of their own."""

import asyncio
import contextlib
import sys

from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection, transaction
from opentelemetry import trace

from books.models import Author, Book, Shelf

SECRET = "jane@example.com"

tracer = trace.get_tracer("bookshop")


def relation():
    for book in Book.objects.order_by("pk"):
        _ = book.author.name


def parameters():
    with connection.cursor() as cursor:
        for name in (SECRET, SECRET, "somebody else"):
            cursor.execute("SELECT id FROM books_author WHERE name = %s", [name])
            cursor.fetchall()


def keywords():
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM books_author WHERE name = %(name)s", {"name": SECRET})


def literals():
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM books_author WHERE name = '{SECRET}' -- {SECRET}")


def batch():
    with connection.cursor() as cursor:
        rows = [(f"{SECRET} {number}",) for number in range(3)]
        cursor.executemany("INSERT INTO books_author (name) VALUES (%s)", rows)


def iterator():
    for author in Author.objects.order_by("pk").iterator(chunk_size=2):
        _ = author


def unbuffered():
    """A cursor whose rows stay on the server, where the driver has such."""
    driver = connection.Database.__name__
    if driver in {"MySQLdb", "pymysql"}:
        cursor = connection.connection.cursor(sys.modules[f"{driver}.cursors"].SSCursor)
    else:
        cursor = connection.connection.cursor(name="unbuffered")
    with transaction.atomic(), contextlib.closing(cursor):
        cursor.execute("SELECT id FROM books_author WHERE name <> %s", [SECRET])
        while cursor.fetchmany(2):
            pass


def failing():
    Shelf.objects.create(label=SECRET)
    with contextlib.suppress(DatabaseError), transaction.atomic():
        Shelf.objects.create(label=SECRET)
    with contextlib.suppress(DatabaseError), transaction.atomic():
        connection.cursor().execute(f"SELECT '{SECRET}' FROM no_such_table")


def reconnecting():
    connection.close()
    Author.objects.count()


def asynchronous():
    async def first():
        return await Author.objects.order_by("pk").afirst()

    asyncio.run(first())


def rolled_back():
    with contextlib.suppress(KeyError), transaction.atomic():
        Author.objects.filter(pk=-1).update(name=SECRET)
        {}["missing"]


CASES = (
    *(relation, parameters, keywords, literals, batch, iterator, unbuffered, failing),
    *(reconnecting, asynchronous, rolled_back),
)


class Command(BaseCommand):
    help = "Use the database in each way once."

    def handle(self, *args, **options):
        connection.ensure_connection()
        for case in CASES:
            with tracer.start_as_current_span(case.__name__, kind=trace.SpanKind.SERVER):
                case()
