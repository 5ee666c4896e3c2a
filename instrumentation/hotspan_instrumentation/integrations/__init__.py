"""What is added to other libraries: one file for each, called when that library is imported.

A library that is never imported costs nothing, and one that is absent is not missed.
"""

from functools import cache

import wrapt

from hotspan_instrumentation import gevent_patch
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.integrations import (
    asgiref,
    billiard,
    celery,
    celery_beat,
    celery_request,
    celery_signals,
    database,
    database_psycopg,
    database_psycopg2,
    django,
    django_cache,
    django_commands,
    django_database,
    django_middleware,
    django_orm,
    django_reloader,
    django_requests,
    django_runserver,
    django_signals,
    django_sqlite,
    django_templates,
    http_clients_aiohttp,
    http_clients_httpx,
    http_clients_urllib,
    http_clients_urllib3,
    otlp_encoding,
    smtp,
    uvicorn,
)

_INTEGRATIONS = (
    asgiref,
    billiard,
    celery,
    celery_beat,
    celery_request,
    celery_signals,
    django_cache,
    django_commands,
    django_middleware,
    django_reloader,
    django_requests,
    django_runserver,
    django_signals,
    django_sqlite,
    gevent_patch,
    http_clients_aiohttp,
    http_clients_httpx,
    http_clients_urllib,
    http_clients_urllib3,
    smtp,
    uvicorn,
)

# Those that concern several modules of a library name each with its hook.
_HOOKS = (
    *database.HOOKS,
    *database_psycopg.HOOKS,
    *database_psycopg2.HOOKS,
    *django_database.HOOKS,
    *django_orm.HOOKS,
    *django_templates.HOOKS,
    *otlp_encoding.HOOKS,
)


@cache  # several ways lead here, and what is wrapped twice is done twice
def install_django_instrumentation() -> None:
    """Mend how Django is instrumented, which concerns also who switches all the rest off."""
    wrapt.register_post_import_hook(guarded(django.install), django.MODULE)


def install_integrations() -> None:
    """Have each integration called when its library is imported, or now if it has been."""
    for integration in _INTEGRATIONS:
        wrapt.register_post_import_hook(guarded(integration.install), integration.MODULE)
    for module, install in _HOOKS:
        wrapt.register_post_import_hook(guarded(install), module)
