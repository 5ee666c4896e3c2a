"""The settings with what a request can go through."""

import os

from bookshop.settings import *  # noqa: F403 - Django's way

MIDDLEWARE = [
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "books.middleware.SlowMiddleware",
    "books.middleware.PlainMiddleware",
    "books.middleware.PlainMiddleware",
]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "slow": {"BACKEND": "books.caches.SlowCache"},
}

if os.environ.get("BOOKSHOP_SABOTAGE") == "requests":
    from hotspan_instrumentation import client_calls, streaming, url_masking
    from hotspan_instrumentation.integrations import (
        django_cache,
        django_middleware,
        django_requests,
        django_signals,
        django_templates,
    )

    # Whoever calls one of these now, gets a TypeError.
    django_requests.view_name = django_requests._of_settings = None
    django_middleware._TIMES = []
    django_cache.current_entry = django_templates.current_entry = None
    django_signals._name = django_signals.current_entry = None
    client_calls._in_transaction = client_calls.resolved_timeout_s = None
    url_masking.masked_urls = streaming.trace = None
