"""The settings with what a request can go through."""

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
