"""Statements that read: repeated with and without need."""

from django.db import connection
from django.db.models import Count, F, Max, Prefetch, Sum, prefetch_related_objects

from corpus_shop.models import (
    Branch,
    Category,
    Customer,
    Item,
    Level,
    LogLine,
    Message,
    Order,
    Product,
    Region,
    Setting,
    Variant,
    Warehouse,
    Wide,
)
from corpus_shop.registry import work

# One query a row


@work
def foreign_key_lazily():
    return [order.customer.name for order in Order.objects.order_by("pk")[:18]]


@work
def two_foreign_keys_lazily():
    return [(each.customer.name, each.branch.name) for each in Order.objects.order_by("pk")[:18]]


@work
def foreign_key_to_three_branches():
    return [order.branch.name for order in Order.objects.order_by("pk")]


@work
def foreign_key_of_a_foreign_key():
    return [order.customer.region.name for order in Order.objects.order_by("pk")[:12]]


@work
def reverse_relation_lazily():
    return [[item.pk for item in order.items.all()] for order in Order.objects.order_by("pk")[:12]]


@work
def nested_listings():
    """Items of each order, and the product of each item."""
    return [
        item.product.name
        for order in Order.objects.order_by("pk")[:6]
        for item in order.items.all()
    ]


@work
def many_to_many_lazily():
    return [[tag.name for tag in order.tags.all()] for order in Order.objects.order_by("pk")[:10]]


@work
def filtered_in_a_loop():
    """A prefetch would not help: the filter asks anew."""
    orders = Order.objects.prefetch_related("items").order_by("pk")[:10]
    return [list(order.items.filter(quantity__gt=0)) for order in orders]


@work
def count_in_a_loop():
    return [order.items.count() for order in Order.objects.order_by("pk")[:9]]


@work
def exists_in_a_loop():
    return [order.items.exists() for order in Order.objects.order_by("pk")[:8]]


@work
def sum_in_a_loop():
    orders = Order.objects.order_by("pk")[:10]
    return [order.items.aggregate(sum=Sum("quantity")) for order in orders]


@work
def latest_in_a_loop():
    return [Order.objects.filter(customer=key).order_by("-pk").first() for key in range(1, 11)]


@work
def get_by_key_in_a_loop():
    keys = Product.objects.order_by("pk").values_list("pk", flat=True)
    return [Product.objects.get(pk=key) for key in keys]


@work
def get_by_name_in_a_loop():
    return [Setting.objects.get(name=f"Setting {number}") for number in range(9)]


@work
def deferred_field_in_a_loop():
    return [each.name for each in Customer.objects.only("pk").order_by("pk")[:12]]


@work
def prefetch_for_each_order():
    for order in Order.objects.order_by("pk")[:8]:
        prefetch_related_objects([order], "items")


@work
def literals_in_a_loop():
    with connection.cursor() as cursor:
        for key in range(1, 13):
            cursor.execute(f"SELECT name FROM corpus_shop_product WHERE id = {key}")
            cursor.fetchall()


@work
def parent_of_each_row():
    """One step from each row, in a table that is a tree."""
    rows = Category.objects.filter(name__startswith="Category").order_by("pk")
    return [each.parent.name for each in rows]


@work
def children_of_each_row():
    return [list(each.children.all()) for each in Category.objects.order_by("pk")[:9]]


@work
def children_by_level():
    """Down a tree, one query a node."""
    nodes = list(Category.objects.filter(parent=None))
    while nodes:
        nodes.extend(nodes.pop(0).children.all())


# Chains and products


@work
def parents_after_a_lookup():
    category = Category.objects.get(name="depth 10")
    while category.parent is not None:
        category = category.parent


@work
def parents_from_a_key():
    category = Category.objects.get(pk=Category.objects.aggregate(deepest=Max("pk") - 8)["deepest"])
    while category is not None:
        category = category.parent


@work
def thread_of_messages():
    message = Message.objects.order_by("-pk").first()
    while message is not None:
        message = message.reply_to


@work
def parents_of_some_leaves():
    for category in Category.objects.filter(name__in=["depth 10", "depth 9", "Category 2"]):
        node = category
        while node.parent is not None:
            node = node.parent


@work
def warehouses_by_variants():
    variants = list(Variant.objects.order_by("pk"))
    for warehouse in Warehouse.objects.order_by("pk"):
        for variant in variants:
            Level.objects.filter(warehouse=warehouse, variant=variant).first()


@work
def warehouses_by_variants_of_each():
    """The inner list is asked for again and again."""
    for warehouse in Warehouse.objects.order_by("pk"):
        for variant in Variant.objects.order_by("pk"):
            Level.objects.get(warehouse=warehouse, variant=variant)


# The same again


@work
def same_setting_again():
    return [Setting.objects.get(name="Setting 1") for _ in range(8)]


@work
def same_setting_thrice():
    return [Setting.objects.get(name="Setting 1") for _ in range(3)]


@work
def queryset_evaluated_twice():
    orders = Order.objects.filter(status="open")
    return [order.pk for order in orders.all()], [order.total for order in orders.all()]


@work
def items_of_one_order_again():
    order = Order.objects.order_by("pk")[0]
    return [len(order.items.all()) for _ in range(6)]


@work
def count_then_list():
    orders = Order.objects.filter(status="open").order_by("pk")
    return orders.count(), list(orders)


# Right, and guilty at a glance


@work
def joined_and_prefetched():
    orders = Order.objects.select_related("customer", "branch").prefetch_related("items", "tags")
    return [(order.customer.name, len(order.items.all()), order.tags.all()) for order in orders]


@work
def chunked_prefetch_in_full_chunks():
    orders = Order.objects.order_by("pk")[:18].prefetch_related("items")
    return [len(order.items.all()) for order in orders.iterator(chunk_size=3)]


@work
def chunked_prefetch_with_a_rest():
    orders = Order.objects.order_by("pk")[:19].prefetch_related("items")
    return [len(order.items.all()) for order in orders.iterator(chunk_size=3)]


@work
def chunked_prefetch_with_one_left():
    """The last chunk has a single key: its statement looks like a lookup."""
    orders = Order.objects.order_by("pk")[:17].prefetch_related("items")
    return [len(order.items.all()) for order in orders.iterator(chunk_size=4)]


@work
def chunked_prefetch_of_tags():
    orders = Order.objects.prefetch_related("tags").order_by("pk")
    return [len(order.tags.all()) for order in orders.iterator(chunk_size=3)]


@work
def chunked_prefetch_filtered():
    items = Prefetch("items", Item.objects.filter(quantity=1).order_by("-pk"))
    orders = Order.objects.prefetch_related(items).order_by("pk")
    return [len(order.items.all()) for order in orders.iterator(chunk_size=2)]


@work
def keys_in_batches():
    keys = list(LogLine.objects.order_by("pk").values_list("pk", flat=True)[:300])
    for first in range(0, 300, 50):
        LogLine.objects.in_bulk(keys[first : first + 50])


@work
def pages_by_key():
    last = 0
    while page := list(LogLine.objects.filter(pk__gt=last).order_by("pk")[:200]):
        last = page[-1].pk


@work
def pages_by_offset():
    for number in range(8):
        list(LogLine.objects.order_by("pk")[number * 100 : number * 100 + 100])


@work
def four_rows_lazily():
    return [order.customer.name for order in Order.objects.order_by("pk")[:4]]


@work
def grouped_on_the_server():
    return list(Order.objects.values("branch").annotate(orders=Count("pk"))), Order.objects.count()


@work
def several_counts():
    models = (Order, Item, Customer, Product, Branch, Region)
    return [model.objects.count() for model in models]


@work
def exists_then_list():
    orders = Order.objects.filter(status="open")
    return list(orders) if orders.exists() else []


@work
def first_and_last():
    orders = Order.objects.order_by("pk")
    return orders.first(), orders.last()


@work
def read_again_after_a_write():
    order = Order.objects.get(pk=Order.objects.aggregate(first=Max("pk"))["first"])
    Order.objects.filter(pk=order.pk).update(total=F("total") + 1)
    order.refresh_from_db()


@work
def wide_rows_in_a_listing():
    return list(Wide.objects.all())


@work
def some_columns_of_wide_rows():
    return list(Wide.objects.only("column_1", "column_2"))
