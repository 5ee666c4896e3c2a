"""Jobs of the office: started from a page, done by the workers. And the dashboard."""

import json

from django.db.models import Count
from django.http import JsonResponse

from shop.celery import app
from shop.erp.models import Order


def dashboard(request):
    """A page that employees look at. What it costs is in the middleware."""
    statuses = Order.objects.values_list("status").annotate(orders=Count("pk"))
    return JsonResponse({"orders": dict(statuses)})


def start_job(request):
    """Publish a task, once for each list of arguments."""
    job = json.loads(request.body)
    ids = [app.send_task(job["task"], args=args).id for args in job["runs"]]
    return JsonResponse({"ids": ids})
