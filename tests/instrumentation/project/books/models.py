from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=50)

    def __str__(self):
        return self.name


class Book(models.Model):
    title = models.CharField(max_length=50)
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
    copies = models.IntegerField(default=100)

    def __str__(self):
        return self.title


class Cover(models.Model):
    book = models.OneToOneField(Book, on_delete=models.CASCADE)
    colour = models.CharField(max_length=50)

    def __str__(self):
        return self.colour


class Shelf(models.Model):
    label = models.CharField(max_length=50, unique=True)
    books = models.ManyToManyField(Book)

    def __str__(self):
        return self.label
