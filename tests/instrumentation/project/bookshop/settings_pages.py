"""The settings for requests, with both of Django's kinds of templates."""

from bookshop.settings_requests import *  # noqa: F403 - Django's way
from bookshop.settings_requests import TEMPLATES

TEMPLATES = [
    *TEMPLATES,
    {"BACKEND": "django.template.backends.jinja2.Jinja2", "APP_DIRS": True},
]
