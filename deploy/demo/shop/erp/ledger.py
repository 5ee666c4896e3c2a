"""The ledger's audit."""

from django.db.models import Count, OuterRef, Subquery
from django.http import JsonResponse

from shop.erp.models import LedgerEntry


def ledger_audit(request):
    """Case: bookings of a day and their counterparts, by columns that have no index in 1.0.0.

    The fix is a migration, erp/migrations/0002_ledger_indexes.py; the view stays as it is.
    """
    twins = LedgerEntry.objects.filter(reference=OuterRef("reference")).order_by()
    counted = twins.values("reference").annotate(count=Count("id")).values("count")
    entries = LedgerEntry.objects.filter(status="open", booked_day=17)
    audited = entries.annotate(twins=Subquery(counted)).order_by("-twins", "reference")
    rows = audited.values_list("reference", "twins")
    return JsonResponse({"rows": list(rows)})
