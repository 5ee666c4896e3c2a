"""Who works where, and when they were last seen."""

from datetime import timedelta

from django.core.cache import cache
from django.utils import timezone

from shop.erp.models import Activity

SEEN_EVERY_S = 60
ACTIVITY_KEPT = timedelta(days=90)


class BranchMiddleware:
    """The branch that the request is for, as the proxy in front of us knows it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.branch_code = request.headers.get("X-Branch", "HQ")
        return self.get_response(request)


class ActivityMiddleware:
    """Case: a row is updated, and the old ones are cleaned up, on every request of an employee."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        employee = request.headers.get("X-Employee")
        if employee:
            Activity.objects.filter(employee=employee, kind="seen").update(at=timezone.now())
            self.clean_up()
        return self.get_response(request)

    def clean_up(self):
        oldest = timezone.now() - ACTIVITY_KEPT
        expired = [activity.pk for activity in Activity.objects.all() if activity.at < oldest]
        if expired:
            Activity.objects.filter(pk__in=expired[:100]).delete()


class ThrottledActivityMiddleware:
    """The fix: once a minute for each employee; `clean_activity` runs at night."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        employee = request.headers.get("X-Employee")
        if employee and cache.add(f"seen:{employee}", 1, timeout=SEEN_EVERY_S):
            Activity.objects.filter(employee=employee, kind="seen").update(at=timezone.now())
        return self.get_response(request)
