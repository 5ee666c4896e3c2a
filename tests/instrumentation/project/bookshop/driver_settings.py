"""The settings for the database that BOOKSHOP_DATABASE_URL names, by the driver BOOKSHOP_DRIVER."""

import os
import sys
from urllib.parse import urlsplit

from bookshop.settings import *  # noqa: F403 - Django's way to derive settings

_driver = os.environ["BOOKSHOP_DRIVER"]
_url = urlsplit(os.environ["BOOKSHOP_DATABASE_URL"])

if _driver == "psycopg2":
    sys.modules["psycopg"] = None  # Django would prefer it
elif _driver == "pymysql":
    import pymysql

    for name in [name for name in sys.modules if name.partition(".")[0] == "MySQLdb"]:
        del sys.modules[name]  # mysqlclient's, which its instrumentation has imported
    pymysql.install_as_MySQLdb()

DATABASES = {
    "default": {
        "ENGINE": f"django.db.backends.{_url.scheme}",
        "NAME": _url.path.lstrip("/"),
        "USER": _url.username,
        "PASSWORD": _url.password or "",
        "HOST": _url.hostname,
        "PORT": _url.port,
    }
}
