"""Each library is given secrets in every place that it takes, in an entry of its own."""

import asyncio
import contextlib
import os
import smtplib
import urllib.request
from email.message import EmailMessage

import aiohttp
import botocore.session
import httpx
import redis as redis_client
import requests as requests_client
import urllib3 as urllib3_client
from celery import current_app
from django.conf import settings
from django.core.cache import cache as django_cache
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection, transaction
from django.template import Context, Template
from opentelemetry import trace

from books.models import Author, Shelf

SECRET = "SECRET123"
HEADERS = {"Authorization": f"Bearer {SECRET}", "X-Token": SECRET, "Cookie": f"session={SECRET}"}
BODY = f"card={SECRET}".encode()
URL = f"{settings.CARRIER_URL}/parcels".replace("//", f"//courier:{SECRET}@") + f"?token={SECRET}"
NOBODY = f"http://courier:{SECRET}@127.0.0.1:1/parcels?token={SECRET}"

tracer = trace.get_tracer("bookshop")


def requests():
    requests_client.post(URL, data=BODY, headers=HEADERS, timeout=5)
    requests_client.post(NOBODY, data=BODY, timeout=5)


def httpx_sync():
    httpx.post(URL, content=BODY, headers=HEADERS, timeout=5)
    httpx.post(NOBODY, content=BODY, timeout=5)


def httpx_async():
    async def call():
        async with httpx.AsyncClient(timeout=5) as client:
            await client.post(URL, content=BODY, headers=HEADERS)
            await client.post(NOBODY, content=BODY)

    asyncio.run(call())


def urllib3():
    pool = urllib3_client.PoolManager()
    pool.request("POST", URL, body=BODY, headers=HEADERS, timeout=5)
    pool.request("POST", NOBODY, body=BODY, timeout=5, retries=False)


def urllib_request():
    # It takes no credentials in a URL.
    for url in (URL, NOBODY):
        bare = url.replace(f"courier:{SECRET}@", "")
        urllib.request.urlopen(urllib.request.Request(bare, BODY, HEADERS), timeout=5)


def by_aiohttp():
    async def call():
        async with aiohttp.ClientSession() as session:
            # It refuses a header beside the credentials in a URL.
            await session.post(URL, data=BODY, headers={"X-Token": SECRET})
            await session.post(NOBODY, data=BODY)

    asyncio.run(call())


def by_botocore():
    client = botocore.session.Session().create_client(
        "sqs",
        region_name="eu-west-1",
        endpoint_url=settings.CARRIER_URL,
        aws_access_key_id=SECRET,
        aws_secret_access_key=SECRET,
        aws_session_token=SECRET,
    )
    attribute = {"DataType": "String", "StringValue": SECRET}
    queue = f"{settings.CARRIER_URL}/parcels"
    client.send_message(QueueUrl=queue, MessageBody=SECRET, MessageAttributes={"k": attribute})


def smtp():
    message = EmailMessage()
    message["From"] = message["To"] = f"{SECRET}@example.com"
    message["Subject"] = SECRET
    message.set_content(SECRET)
    with smtplib.SMTP("127.0.0.1", settings.EMAIL_PORT) as server:
        server.send_message(message)


def database():
    list(Author.objects.filter(name=SECRET))
    list(Author.objects.extra(where=[f"name = '{SECRET}'"]))
    Shelf.objects.create(label=SECRET)
    with connection.cursor() as cursor:
        cursor.executemany("UPDATE books_author SET name = %s WHERE id = -1", [(SECRET,)] * 2)
    for statement in (f"SELECT '{SECRET}' FROM no_such_table", f'SELECT 1 FROM a WHERE "{SECRET}'):
        with contextlib.suppress(DatabaseError), transaction.atomic():
            connection.cursor().execute(statement)
    Shelf.objects.create(label=SECRET)


def redis():
    client = redis_client.Redis.from_url(os.environ["BOOKSHOP_REDIS_URL"])
    client.set(f"session:{SECRET}", SECRET)
    client.hset("sessions", mapping={SECRET: SECRET})
    with client.pipeline() as pipeline:
        pipeline.get(f"session:{SECRET}").publish("channel", SECRET).execute()
    client.eval(f"return '{SECRET}'", 1, SECRET, SECRET)
    with contextlib.suppress(redis_client.RedisError):
        client.execute_command("NO-SUCH", SECRET)
    with contextlib.suppress(redis_client.RedisError):
        client.pipeline().set(SECRET, SECRET).lpush(SECRET, SECRET).execute()
    client.incr(f"session:{SECRET}")


def cache():
    django_cache.set(f"user:{SECRET}@example.com", SECRET)
    django_cache.get_many([f"user:{SECRET}@example.com"])


def celery():
    headers = {"token": SECRET}
    current_app.send_task("books.buy", (SECRET,), {"n": SECRET}, headers=headers, argsrepr=SECRET)


def templates():
    Template(SECRET + "{{ name }}").render(Context({"name": SECRET}))


CASES = {
    case.__name__: case
    for case in (
        *(requests, httpx_sync, httpx_async, urllib3, urllib_request, by_aiohttp, by_botocore),
        *(smtp, database, redis, cache, celery, templates),
    )
}


class Command(BaseCommand):
    help = "Give each library secrets."

    def handle(self, *args, **options):
        for name, case in CASES.items():
            with (
                contextlib.suppress(Exception),
                tracer.start_as_current_span(name, kind=trace.SpanKind.SERVER),
            ):
                case()
