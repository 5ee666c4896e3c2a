"""The chart of accounts."""

from django.db.models import Count, Max
from django.http import JsonResponse

from shop.erp.frame import office_frame
from shop.erp.models import Account, LedgerEntry


def account_tree(request):
    """Case: the full path of each account is found by walking up its parents."""
    accounts = Account.objects.filter(is_leaf=True).order_by("code")
    paths = {account.code: full_path(account) for account in accounts}
    return JsonResponse({**account_frame(), "paths": paths})


def full_path(account):
    names = [account.name]
    while account.parent is not None:
        account = account.parent
        names.append(account.name)
    return " / ".join(reversed(names))


def account_tree_fixed(request):
    """The fix: all accounts at once, the walk is through a dict."""
    by_id = {account.pk: account for account in Account.objects.all()}
    leaves = sorted((a for a in by_id.values() if a.is_leaf), key=lambda account: account.code)
    paths = {account.code: full_path_within(by_id, account) for account in leaves}
    return JsonResponse({**account_frame(), "paths": paths})


def full_path_within(by_id, account):
    names = [account.name]
    while account.parent_id is not None:
        account = by_id[account.parent_id]
        names.append(account.name)
    return " / ".join(reversed(names))


def account_frame():
    kinds = Account.objects.values("kind").annotate(accounts=Count("pk"))
    return {
        **office_frame(),
        "kinds": list(kinds.values_list("kind", "accounts")),
        "last_booking": LedgerEntry.objects.aggregate(last=Max("id"))["last"],
    }
