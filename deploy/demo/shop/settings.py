import os
from pathlib import Path

from shop import connections
from shop.release import pick

WORK_DIR = Path(os.environ.get("SHOP_DATA_DIR", Path.cwd() / ".demo" / "shop"))
WORK_DIR.mkdir(parents=True, exist_ok=True)

# Where carriers, CDN, messaging, marketplace and the language model are.
STUB_URL = os.environ.get("SHOP_STUB_URL", "http://127.0.0.1:8099")

SECRET_KEY = os.environ.get("SHOP_SECRET_KEY", "the-demo-keeps-no-secrets")
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "web", "testserver"]

# Case: DEBUG=True in production.
DEBUG = pick(True, False)

INSTALLED_APPS = ["shop.erp", "shop.chat"]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

MIDDLEWARE = pick(
    [
        "django.middleware.common.CommonMiddleware",
        "shop.middleware.BranchMiddleware",
        "shop.middleware.ActivityMiddleware",
        # Case: registered twice.
        "shop.middleware.BranchMiddleware",
    ],
    [
        "django.middleware.gzip.GZipMiddleware",
        "django.middleware.common.CommonMiddleware",
        "shop.middleware.BranchMiddleware",
        "shop.middleware.ThrottledActivityMiddleware",
    ],
)

DATABASE_URL = os.environ.get("DATABASE_URL", "")
DATABASES = {"default": connections.database(DATABASE_URL, work_dir=WORK_DIR)}
# The system that the ERP replaced. Its prices are still looked up, with a driver of its own.
LEGACY_DATABASE = WORK_DIR / "legacy.sqlite3"

REDIS_URL = os.environ.get("REDIS_URL", "")
CACHES = {"default": connections.cache(REDIS_URL, work_dir=WORK_DIR)}

CELERY_BROKER_URL, CELERY_BROKER_TRANSPORT_OPTIONS = connections.broker(
    REDIS_URL, work_dir=WORK_DIR
)
CELERY_RESULT_BACKEND = REDIS_URL or None
CELERY_TASK_IGNORE_RESULT = not REDIS_URL
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# For `celery beat`, which the demo on one machine does without.
CELERY_BEAT_SCHEDULE = {
    "low stock": {"task": "shop.erp.tasks.check_low_stock", "schedule": 60.0},
    "exchange rates": {
        "task": "shop.erp.tasks.sync_exchange_rates",
        "schedule": 300.0,
        "args": ["USD"],
    },
    "old activity": {"task": "shop.erp.tasks.clean_activity", "schedule": 86_400.0},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
