"""Answering a customer's question: what is known is gathered, and the language model is asked."""

import json
import time

import requests
from django.conf import settings
from django.db.models import Avg, F, Sum
from django.http import JsonResponse

from shop.chat import models
from shop.erp.models import Order, Product

DEBOUNCE_S = 2
MESSAGES = 6
PRODUCTS = 6
PAGES_PER_SITE = 5


def answer(request, pk):
    """Case: relations one by one, rows in full width, so a long prompt and a slow model."""
    conversation, question = receive(request, pk)
    context = {**assistant_knowledge(), **customer_knowledge(conversation)}
    messages = conversation.messages.order_by("-pk")[:MESSAGES]
    context["messages"] = [f"{message.author.name}: {message.text}" for message in messages]
    products = Product.objects.order_by("-pk")[:PRODUCTS]
    context["products"] = [f"{product.category.name}: {product.name}" for product in products]
    pages = [page for site in models.Site.objects.all() for page in site.pages.all()[:5]]
    chunks = models.PageChunk.objects.filter(page__in=pages)
    context["pages"] = [chunk.text + chunk.html + chunk.embedding for chunk in chunks]
    return JsonResponse({"answer": store_answer(conversation, ask_model(question, context))})


def answer_fixed(request, pk):
    """The fix: joined, and only the columns that the prompt needs."""
    conversation, question = receive(request, pk)
    context = {**assistant_knowledge(), **customer_knowledge(conversation)}
    messages = conversation.messages.select_related("author").order_by("-pk")[:MESSAGES]
    context["messages"] = [f"{message.author.name}: {message.text}" for message in messages]
    products = Product.objects.select_related("category").only("name", "category__name")
    latest = products.order_by("-pk")[:PRODUCTS]
    context["products"] = [f"{product.category.name}: {product.name}" for product in latest]
    sites = models.Site.objects.prefetch_related("pages")
    pages = [page.pk for site in sites for page in list(site.pages.all())[:PAGES_PER_SITE]]
    chunks = models.PageChunk.objects.filter(page__in=pages, position=0).only("text")
    context["pages"] = [chunk.text for chunk in chunks]
    return JsonResponse({"answer": store_answer(conversation, ask_model(question, context))})


def receive(request, pk):
    conversation = models.Conversation.objects.select_related("customer").get(pk=pk)
    text = json.loads(request.body)["text"]
    question = models.Message.objects.create(conversation=conversation, author_id=1, text=text)
    return conversation, question


def message_saved(sender, instance, created, **kwargs):
    """Case: waits for the customer's next message, as a debounce, while the request is held."""
    if instance.author_id == 1:
        time.sleep(DEBOUNCE_S)


def assistant_knowledge():
    """Nine statements, each its own."""
    told = models.Assistant.objects
    return {
        "prompt": told.get(kind="prompt").text,
        "limits": list(told.filter(kind__in=["limit", "tone"]).values_list("text", flat=True)),
        "blocked": list(models.BlockedWord.objects.values_list("word", flat=True)),
        "synonyms": dict(models.Synonym.objects.values_list("word", "means")),
        "faqs": list(models.Faq.objects.values_list("question", "answer")),
        "hours": list(models.OpeningHour.objects.values_list("text", flat=True)),
        "campaigns": list(models.Campaign.objects.filter(running=True).values_list("name")),
        "stars": models.Feedback.objects.aggregate(stars=Avg("stars"))["stars"],
        "languages": list(models.PageChunk.objects.values_list("language").distinct()),
    }


def customer_knowledge(conversation):
    """Five statements, each its own."""
    customer = conversation.customer_id
    last = Order.objects.filter(customer=customer).order_by("-placed").first()
    used = models.Usage.objects.filter(conversation=conversation).aggregate(sum=Sum("tokens"))
    return {
        "open_orders": Order.objects.filter(customer=customer, status="open").count(),
        "last_order": last and last.number,
        "tokens": used["sum"],
        "questions": models.Message.objects.filter(conversation=conversation, author=1).count(),
        "known": models.Conversation.objects.filter(customer=customer, answers__gt=0).exists(),
    }


def ask_model(question, context):
    prompt = {"question": question.text, "context": context}
    response = requests.post(f"{settings.STUB_URL}/llm/answers", json=prompt, timeout=60)
    return response.json()


def store_answer(conversation, reply):
    """Three statements."""
    conversation.messages.create(author_id=2, text=reply["text"])
    models.Usage.objects.create(conversation=conversation, tokens=reply["tokens"])
    counted = models.Conversation.objects.filter(pk=conversation.pk)
    counted.update(answers=F("answers") + 1)
    return reply["text"]
