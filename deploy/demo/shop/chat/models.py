from django.db import models

from shop.erp.models import Customer


class Site(models.Model):
    name = models.CharField(max_length=60)


class Page(models.Model):
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="pages")
    title = models.CharField(max_length=120)


class PageChunk(models.Model):
    """A piece of a page, with all that the crawler noted down about it."""

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="chunks")
    text = models.TextField()
    html = models.TextField(default="")
    heading = models.CharField(max_length=120, default="")
    anchor = models.CharField(max_length=60, default="")
    language = models.CharField(max_length=5, default="en")
    charset = models.CharField(max_length=10, default="utf-8")
    checksum = models.CharField(max_length=64, default="")
    etag = models.CharField(max_length=64, default="")
    crawler = models.CharField(max_length=30, default="spider/2")
    depth = models.IntegerField(default=0)
    position = models.IntegerField(default=0)
    words = models.IntegerField(default=0)
    images = models.IntegerField(default=0)
    links_in = models.IntegerField(default=0)
    links_out = models.IntegerField(default=0)
    status = models.IntegerField(default=200)
    bytes = models.IntegerField(default=0)
    score = models.FloatField(default=0)
    embedding = models.TextField(default="")
    keywords = models.TextField(default="")
    summary = models.TextField(default="")


class Participant(models.Model):
    name = models.CharField(max_length=60)


class Conversation(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    answers = models.IntegerField(default=0)


class Message(models.Model):
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="messages"
    )
    author = models.ForeignKey(Participant, on_delete=models.CASCADE)
    text = models.TextField()


class Assistant(models.Model):
    """One row for each kind of thing that the assistant is told: tone, prompt, greeting, limit."""

    kind = models.CharField(max_length=30)
    text = models.TextField()


class Faq(models.Model):
    question = models.CharField(max_length=120)
    answer = models.TextField()


class BlockedWord(models.Model):
    word = models.CharField(max_length=30)


class Synonym(models.Model):
    word = models.CharField(max_length=30)
    means = models.CharField(max_length=30)


class OpeningHour(models.Model):
    weekday = models.IntegerField()
    text = models.CharField(max_length=30)


class Campaign(models.Model):
    name = models.CharField(max_length=60)
    running = models.BooleanField(default=True)


class Usage(models.Model):
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE)
    tokens = models.IntegerField()


class Feedback(models.Model):
    stars = models.IntegerField()
