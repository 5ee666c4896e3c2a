from django.db import models


class Named(models.Model):
    name = models.CharField(max_length=50)

    class Meta:
        abstract = True


class Region(Named):
    pass


class Customer(Named):
    region = models.ForeignKey(Region, models.CASCADE)


class Branch(Named):
    pass


class Tag(Named):
    pass


class Category(Named):
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")


class Message(Named):
    reply_to = models.ForeignKey("self", models.CASCADE, null=True, related_name="replies")


class Product(Named):
    category = models.ForeignKey(Category, models.CASCADE)
    price = models.IntegerField(default=10)


class Order(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)
    branch = models.ForeignKey(Branch, models.CASCADE)
    tags = models.ManyToManyField(Tag)
    status = models.CharField(max_length=10, default="open")
    total = models.IntegerField(default=0)


class Item(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="items")
    product = models.ForeignKey(Product, models.CASCADE)
    quantity = models.IntegerField(default=1)


class Warehouse(Named):
    pass


class Variant(Named):
    pass


class Level(models.Model):
    warehouse = models.ForeignKey(Warehouse, models.CASCADE)
    variant = models.ForeignKey(Variant, models.CASCADE)
    quantity = models.IntegerField(default=3)


class Setting(Named):
    value = models.CharField(max_length=50)


class Job(models.Model):
    state = models.CharField(max_length=10, default="new")


class LogLine(models.Model):
    text = models.CharField(max_length=200)


class Wide(models.Model):
    for _number in range(30):
        locals()[f"column_{_number}"] = models.CharField(max_length=20, default="some text")
    del _number
