from django.apps import AppConfig
from django.db.models.signals import post_save

from shop.release import BEFORE, RELEASE


class ChatConfig(AppConfig):
    name = "shop.chat"

    def ready(self):
        from shop.chat import answer, models  # noqa: PLC0415  (models can be imported from here on)

        # The fix: the page waits for the customer to stop typing, not the server.
        if RELEASE == BEFORE:
            post_save.connect(answer.message_saved, sender=models.Message)
