import os
from pathlib import Path

DATA_DIR = Path(os.environ["BOOKSHOP_DATA_DIR"])

SECRET_KEY = "not-a-secret"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "books"]
ROOT_URLCONF = "bookshop.urls"
WSGI_APPLICATION = "bookshop.wsgi.application"
MIDDLEWARE = ["books.middleware.PlainMiddleware"]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA_DIR / "books.sqlite3"}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
DEBUG = "BOOKSHOP_DEBUG" in os.environ

CARRIER_URL = os.environ.get("BOOKSHOP_CARRIER_URL")
EMAIL_HOST = "127.0.0.1"
EMAIL_PORT = int(os.environ.get("BOOKSHOP_SMTP_PORT", "25"))

CELERY_BROKER_URL = os.environ.get("BOOKSHOP_BROKER_URL", "filesystem://")
if CELERY_BROKER_URL == "filesystem://":
    queue = DATA_DIR / "queue"
    queue.mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(queue),
        "data_folder_out": str(queue),
        "control_folder": str(DATA_DIR / "control"),
        "polling_interval": 0.1,
    }
CELERY_RESULT_BACKEND = os.environ.get("BOOKSHOP_RESULT_URL")
CELERY_IMPORTS = ["books.outcomes"]
if "BOOKSHOP_BEAT" in os.environ:
    CELERY_BEAT_SCHEDULE = {
        "sell-a-copy": {"task": "books.tasks.buy", "schedule": 1.0, "args": [1]},
    }
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
