"""Views that call other services, by every client and in every place."""

import contextlib
import time
import urllib.request

import aiohttp
import botocore.session
import httpx
import requests
import urllib3
from botocore.config import Config
from django.conf import settings
from django.core import mail
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpResponse
from django.urls import path
from requests.adapters import HTTPAdapter

from books.models import Author

URL = f"{settings.CARRIER_URL}/parcels"
SECRETS = f"{URL.replace('//', '//courier:hunter2@')}?token=SECRET123&page=2"
NOBODY = "http://127.0.0.1:1/parcels?token=SECRET123"


def _by_every_client(**timeout):
    requests.post(URL, data=b"", **timeout)
    httpx.post(URL, content=b"", **timeout)
    urllib3.PoolManager().request("POST", URL, body=b"", **timeout)
    urllib.request.urlopen(URL, data=b"", **timeout)


def patient(request):
    requests.post(URL, data=b"")
    httpx.post(URL, content=b"", timeout=None)
    urllib3.PoolManager().request("POST", URL, body=b"")
    urllib.request.urlopen(URL, data=b"")
    return HttpResponse()


def impatient(request):
    _by_every_client(timeout=5)
    requests.post(URL, data=b"", timeout=(3, None))
    requests.post(URL, data=b"", timeout=(3, 7))
    urllib3.PoolManager(timeout=4).request("POST", URL, body=b"")
    return HttpResponse()


async def asynchronous(request):
    async with httpx.AsyncClient(timeout=6) as client:
        await client.post(URL, content=b"")
    return HttpResponse()


def retried(request):
    session = requests.Session()
    retry = urllib3.Retry(total=2, status_forcelist=[503], allowed_methods=None)
    session.mount("http://", HTTPAdapter(max_retries=retry))
    with contextlib.suppress(requests.exceptions.RetryError):
        session.post(URL, data=b"", timeout=5)
    return HttpResponse()


def in_transaction(request):
    with transaction.atomic():
        requests.post(URL, data=b"", timeout=5)
    return HttpResponse()


def in_signal(request):
    Author.objects.create(name="Notified")
    return HttpResponse()


@receiver(post_save, sender=Author)
def notify(sender, instance, **kwargs):
    if instance.name == "Notified":
        requests.post(URL, data=b"", timeout=5)
        time.sleep(0.05)


def secrets(request):
    requests.post(SECRETS, data=b"", timeout=5)
    httpx.post(SECRETS, content=b"", timeout=5)
    urllib3.PoolManager().request("POST", SECRETS, body=b"", timeout=5)
    for client in (requests.post, httpx.post):
        with contextlib.suppress(requests.ConnectionError, httpx.ConnectError):
            client(NOBODY, timeout=5)
    requests.post(NOBODY, timeout=5)  # what is left of it is an answer 500


def letter(request):
    with contextlib.suppress(OSError):
        mail.send_mail("Subject", "Text", "shop@example.com", ["jane.doe@example.com"])
    return HttpResponse()


async def by_aiohttp(request):
    async with aiohttp.ClientSession() as session:
        await session.post(URL, data=b"")
        await session.post(URL, data=b"", timeout=aiohttp.ClientTimeout(total=None))
        await session.post(URL, data=b"", timeout=None)
        await session.post(URL, data=b"", timeout=aiohttp.ClientTimeout(total=9, sock_read=6))
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=8)) as session:
        await session.post(SECRETS, data=b"body=SECRET123", headers={"X-Token": "SECRET123"})
        with contextlib.suppress(aiohttp.ClientError):
            await session.post(NOBODY)
    return HttpResponse()


def by_botocore(request):
    client = botocore.session.Session().create_client(
        "dynamodb",
        region_name="eu-west-1",
        endpoint_url=settings.CARRIER_URL,
        aws_access_key_id="SECRET123",
        aws_secret_access_key="hunter2",
        config=Config(read_timeout=3, retries={"max_attempts": 0}),
    )
    client.get_item(TableName="parcels", Key={"name": {"S": "SECRET123"}})
    return HttpResponse()


urlpatterns = [
    path(f"{view.__name__}/", view)
    for view in (
        *(patient, impatient, asynchronous, retried, in_transaction, in_signal),
        *(secrets, letter, by_aiohttp, by_botocore),
    )
]
