"""Statements that write: in loops, in bulk, in transactions."""

import time

from django.db import transaction
from django.db.models import Case, F, Value, When

from corpus_shop.models import Item, Job, LogLine, Order, Product, Setting, Tag
from corpus_shop.registry import work


@work
def saves_in_a_loop():
    with transaction.atomic():
        for product in Product.objects.order_by("pk"):
            product.price += 1
            product.save()


@work
def updates_in_a_loop():
    for order in Order.objects.order_by("pk")[:10]:
        Order.objects.filter(pk=order.pk).update(total=5)


@work
def creates_in_a_loop():
    for _ in range(9):
        LogLine.objects.create(text="another")


@work
def deletes_in_a_loop():
    lines = LogLine.objects.bulk_create([LogLine(text="to be deleted") for _ in range(7)])
    keys = [line.pk for line in lines if line.pk]
    for key in keys or LogLine.objects.order_by("-pk").values_list("pk", flat=True)[:7]:
        LogLine.objects.filter(pk=key).delete()


@work
def read_and_write_in_a_loop():
    for key in range(6):
        Setting.objects.update_or_create(
            name=f"Setting {key}", defaults={"value": str(time.time())}
        )


@work
def bulk_create_in_batches():
    LogLine.objects.bulk_create([LogLine(text="bulk") for _ in range(60)], batch_size=10)


@work
def bulk_update_in_batches():
    products = list(Product.objects.order_by("pk"))
    for product in products:
        product.price += 1
    Product.objects.bulk_update(products, ["price"], batch_size=2)


@work
def updates_at_once():
    Order.objects.filter(status="open").update(total=F("total") + 1)
    Product.objects.update(price=Case(When(price__gt=5, then=Value(4)), default=F("price")))


@work
def deletes_at_once():
    Item.objects.filter(quantity__gt=100).delete()
    LogLine.objects.filter(text="to be deleted").delete()


@work
def order_with_its_parts():
    """One order of a form: a few writes to several tables, in a transaction."""
    with transaction.atomic():
        order = Order.objects.create(customer_id=_first("customer"), branch_id=_first("branch"))
        products = Product.objects.order_by("pk")[:3]
        Item.objects.bulk_create(Item(order=order, product=product) for product in products)
        order.tags.set(Tag.objects.order_by("pk")[:2])
        LogLine.objects.create(text="ordered")
    order.delete()


@work
def locked_and_counted():
    with transaction.atomic():
        job = Job.objects.select_for_update().first()
        job.state = "seen"
        job.save(update_fields=["state"])


@work
def long_transaction():
    with transaction.atomic():
        Job.objects.update(state="held")
        time.sleep(1.2)


def _first(name: str) -> int:
    return Order.objects.order_by("pk").values_list(f"{name}_id", flat=True)[0]
