"""Ways to use a database, each in an entry of its own that has the way's name."""

import asyncio
import pickle

from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection, transaction
from django.db.backends.signals import connection_created
from django.db.models.functions import Length
from opentelemetry import trace

from books.models import Author, Book, Cover, Shelf

SECRET = "jane@example.com"

tracer = trace.get_tracer("bookshop")


def forward():
    for book in Book.objects.order_by("pk"):
        _ = book.author.name


def reverse():
    author = Author.objects.get(name="Ursula")
    author.book_set.count()
    list(author.book_set.filter(copies__gt=2).order_by("pk"))


def one_to_one():
    _ = Book.objects.get(title="A book of Iain").cover.colour


def many_to_many():
    shelf = Shelf.objects.get(label="top")
    list(shelf.books.all())
    shelf.books.all()[0].shelf_set.exists()


def prefetched():
    for book in Book.objects.select_related("author").prefetch_related("shelf_set"):
        _ = book.author.name, list(book.shelf_set.all())


def never_evaluated():
    author = Author(pk=1)
    lazy = author.book_set.filter(copies__gt=1).order_by("title")
    copy = pickle.loads(pickle.dumps(lazy.query))
    _ = str(copy), lazy.filter(title=SECRET)


def repeated():
    for number in range(6):
        Book.objects.filter(pk=number).first()


def same_again():
    for name in (SECRET, SECRET, "somebody else"):
        Author.objects.filter(name=name).first()


def committed():
    with transaction.atomic():
        Book.objects.filter(title=SECRET).update(copies=1)
        with transaction.atomic():
            Author.objects.count()
        transaction.on_commit(Shelf.objects.count)


def rolled_back():
    try:
        with transaction.atomic():
            Author.objects.create(name=SECRET)
            {}["missing"]
    except KeyError:
        pass


def raw():
    with connection.cursor() as cursor:
        for day in (19840615, 20010911):
            cursor.execute(
                f"SELECT name FROM books_author WHERE name = '{SECRET}' OR id > {day} -- {SECRET}"
            )
        cursor.execute("SELECT name FROM books_author WHERE name = %s", [SECRET])
    list(Author.objects.extra(where=[f"name = '{SECRET}'"]))


def failing():
    for statement in (
        f"SELECT * FROM no_such_table WHERE name = '{SECRET}'",
        f"SELECT CAST('{SECRET}' AS integer) / 0 FROM no_such_table",
    ):
        try:
            with transaction.atomic():
                connection.cursor().execute(statement)
        except DatabaseError:
            pass
    Shelf.objects.get_or_create(label=SECRET)
    with transaction.atomic():
        Shelf.objects.create(label=SECRET)


def many():
    with connection.cursor() as cursor:
        rows = [(SECRET, number) for number in range(3)]
        cursor.executemany("UPDATE books_author SET name = %s WHERE id = -1 - %s", rows)


def iterator():
    for title in Book.objects.order_by("pk").values_list("title", flat=True).iterator(chunk_size=1):
        _ = title


def reconnecting():
    for _ in range(2):
        connection.close()
        Author.objects.count()


def greeting():
    def greet(connection, **kwargs):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 AS hello")

    connection_created.connect(greet)
    connection.close()
    Author.objects.count()
    connection_created.disconnect(greet)


def asynchronous():
    async def count():
        return await Author.objects.annotate(length=Length("name")).acount()

    asyncio.run(count())


CASES = (
    *(forward, reverse, one_to_one, many_to_many, prefetched, never_evaluated),
    *(repeated, same_again, committed, rolled_back, raw, failing, many),
    *(iterator, reconnecting, greeting, asynchronous),
)


class Command(BaseCommand):
    help = "Use the database in each way once, or in the ways named."

    def add_arguments(self, parser):
        parser.add_argument("names", nargs="*")

    def handle(self, *args, names, **options):
        self.prepare()
        for case in CASES:
            if names and case.__name__ not in names:
                continue
            with tracer.start_as_current_span(case.__name__, kind=trace.SpanKind.SERVER):
                try:
                    case()
                except DatabaseError as error:
                    trace.get_current_span().record_exception(error)

    def prepare(self):
        shelf, _ = Shelf.objects.get_or_create(label="top")
        for book in Book.objects.all():
            Cover.objects.get_or_create(book=book, colour="red")
            shelf.books.add(book)
