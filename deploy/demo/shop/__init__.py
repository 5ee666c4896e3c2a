"""A wholesaler's ERP and the chat assistant on its web sites.

Somebody's Django project: it knows nothing of hotspan or OpenTelemetry.
"""

from shop.celery import app as celery_app

__all__ = ["celery_app"]
