"""What the assistant's workers do: 9 of the shop's 28 tasks."""

from celery import shared_task
from django.db.models import Avg

from shop.chat import models
from shop.erp.tasks import ask, tell
from shop.retries import PROTECTED, UNPROTECTED_AT_FIRST


@shared_task(**UNPROTECTED_AT_FIRST)
def embed_page(pk):
    tell("/llm/embeddings", {"title": models.Page.objects.get(pk=pk).title})


@shared_task(**UNPROTECTED_AT_FIRST)
def translate_message(pk):
    tell("/llm/translations", {"text": models.Message.objects.get(pk=pk).text})


@shared_task(**UNPROTECTED_AT_FIRST)
def sync_channel(name):
    ask(f"/channels/{name}")


@shared_task(**UNPROTECTED_AT_FIRST)
def detect_language(pk):
    tell("/llm/languages", {"text": models.Message.objects.get(pk=pk).text})


@shared_task(**PROTECTED)
def summarise_conversation(pk):
    texts = models.Message.objects.filter(conversation=pk).values_list("text", flat=True)
    tell("/llm/summaries", {"texts": list(texts)})


@shared_task(**PROTECTED)
def score_feedback():
    return models.Feedback.objects.aggregate(stars=Avg("stars"))["stars"]


@shared_task(**PROTECTED)
def transcribe_voice(pk):
    tell("/llm/transcripts", {"message": pk})


@shared_task(**PROTECTED)
def notify_agent(name):
    tell("/whatsapp/messages?wait=no", {"agent": name})


@shared_task(**PROTECTED)
def archive_conversation(pk):
    models.Conversation.objects.filter(pk=pk).update(answers=0)
