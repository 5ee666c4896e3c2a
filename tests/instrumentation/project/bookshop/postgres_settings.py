import os
from urllib.parse import urlsplit

from bookshop.settings import *  # noqa: F403 - Django's way to derive settings

_url = urlsplit(os.environ["BOOKSHOP_DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _url.path.lstrip("/"),
        "USER": _url.username,
        "PASSWORD": _url.password or "",
        "HOST": _url.hostname,
        "PORT": _url.port,
    }
}
