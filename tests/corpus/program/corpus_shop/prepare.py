"""Makes the tables and fills them; run by the recorder before a recording."""

import os

import django
from django.core.management import call_command


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "corpus_shop.settings")
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    _fill()


def _fill() -> None:
    from django.contrib.auth.models import Permission, User  # noqa: PLC0415 - after setup

    from corpus_shop import models as m  # noqa: PLC0415 - likewise

    def named(model, count, **values):
        return model.objects.bulk_create(
            model(name=f"{model.__name__} {n}", **{k: v(n) for k, v in values.items()})
            for n in range(count)
        ) and list(model.objects.order_by("pk"))

    regions, branches, tags = named(m.Region, 6), named(m.Branch, 3), named(m.Tag, 5)
    customers = named(m.Customer, 20, region=lambda n: regions[n % 6])
    above = None
    for depth in range(11):
        above = m.Category.objects.create(name=f"depth {depth}", parent=above)
    categories = list(m.Category.objects.order_by("pk"))
    named(m.Category, 8, parent=lambda n: categories[n % 3])
    above = None
    for number in range(9):
        above = m.Message.objects.create(name=f"message {number}", reply_to=above)
    products = named(m.Product, 12, category=lambda n: categories[n % 11])
    for number in range(20):
        order = m.Order.objects.create(customer=customers[number], branch=branches[number % 3])
        order.tags.set([tags[number % 5], tags[(number + 2) % 5]])
        m.Item.objects.bulk_create(
            m.Item(order=order, product=products[(number + n) % 12]) for n in range(3)
        )
    warehouses, variants = named(m.Warehouse, 4), named(m.Variant, 5)
    m.Level.objects.bulk_create(
        m.Level(warehouse=warehouse, variant=variant)
        for warehouse in warehouses
        for variant in variants
    )
    named(m.Setting, 10, value=str)
    m.Job.objects.create()
    m.LogLine.objects.bulk_create(m.LogLine(text="x" * 100) for _ in range(1500))
    m.Wide.objects.bulk_create(m.Wide() for _ in range(250))
    user = User.objects.create_user("jane", password="secret")
    user.user_permissions.set(Permission.objects.all()[:5])


if __name__ == "__main__":
    main()
