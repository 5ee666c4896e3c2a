from django.db import models


class Branch(models.Model):
    name = models.CharField(max_length=60)
    city = models.CharField(max_length=60)


class Salesperson(models.Model):
    name = models.CharField(max_length=60)
    active = models.BooleanField(default=True)
    branch = models.ForeignKey(Branch, on_delete=models.CASCADE)


class Customer(models.Model):
    name = models.CharField(max_length=120)
    email = models.EmailField()
    street = models.CharField(max_length=120)
    city = models.CharField(max_length=60)
    notes = models.TextField(blank=True)
    created = models.DateTimeField()


class Category(models.Model):
    name = models.CharField(max_length=60)


class Product(models.Model):
    sku = models.CharField(max_length=20)
    name = models.CharField(max_length=120)
    description = models.TextField()
    category = models.ForeignKey(Category, on_delete=models.CASCADE)
    price = models.DecimalField(max_digits=10, decimal_places=2)


class Variant(models.Model):
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="variants")
    size = models.CharField(max_length=20)
    available = models.IntegerField(default=0)


class Warehouse(models.Model):
    name = models.CharField(max_length=60)


class StockLevel(models.Model):
    warehouse = models.ForeignKey(Warehouse, on_delete=models.CASCADE)
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="levels")
    quantity = models.IntegerField()
    minimum = models.IntegerField(default=5)


class GoodsReceipt(models.Model):
    warehouse = models.ForeignKey(Warehouse, on_delete=models.CASCADE)
    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    quantity = models.IntegerField()


class Order(models.Model):
    number = models.CharField(max_length=20)
    kind = models.CharField(max_length=20)
    status = models.CharField(max_length=20)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="orders")
    salesperson = models.ForeignKey(Salesperson, on_delete=models.CASCADE)
    branch = models.ForeignKey(Branch, on_delete=models.CASCADE)
    placed = models.DateTimeField()


class OrderItem(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="items")
    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    quantity = models.IntegerField()
    price = models.DecimalField(max_digits=10, decimal_places=2)


class Invoice(models.Model):
    number = models.CharField(max_length=20)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    status = models.CharField(max_length=20)
    amount = models.DecimalField(max_digits=10, decimal_places=2)


class Account(models.Model):
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=20)
    is_leaf = models.BooleanField(default=False)
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE)


class LedgerEntry(models.Model):
    """Written by millions; the columns that reports filter by got their indexes in 1.1.0."""

    reference = models.IntegerField()
    branch = models.IntegerField()
    status = models.CharField(max_length=10)
    booked_day = models.IntegerField()
    cents = models.IntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["reference", "branch"], name="ledger_reference_branch"),
            models.Index(fields=["status", "booked_day"], name="ledger_status_day"),
        ]


class Setting(models.Model):
    group = models.CharField(max_length=30)
    key = models.CharField(max_length=60)
    value = models.CharField(max_length=120)


class Activity(models.Model):
    employee = models.IntegerField()
    kind = models.CharField(max_length=20)
    at = models.DateTimeField()
