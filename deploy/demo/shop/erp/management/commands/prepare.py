from django.core.management import call_command
from django.core.management.base import BaseCommand

from shop.release import pick


class Command(BaseCommand):
    help = "Make the database of this release, and fill it. 1.0.0 has no index on the ledger yet."

    def handle(self, *args, **options):
        call_command("migrate", "erp", pick("0001", "0002"), verbosity=0)
        call_command("migrate", "chat", verbosity=0)
        call_command("seed")
