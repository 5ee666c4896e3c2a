"""The settings with hotspan's Django application."""

from bookshop.settings import *  # noqa: F403 - Django's way
from bookshop.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "hotspan_instrumentation.django"]
