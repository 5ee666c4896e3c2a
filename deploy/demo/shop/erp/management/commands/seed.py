from django.core.management.base import BaseCommand
from django.db import connection, transaction

from shop import seed
from shop.erp.models import Branch


class Command(BaseCommand):
    help = "Fill the empty database, always with the same rows."

    def handle(self, *args, **options):
        seed.fill_legacy()
        if Branch.objects.exists():
            self.stdout.write("The shop is filled already.")
            return
        if connection.vendor == "sqlite":
            connection.cursor().execute("PRAGMA journal_mode=WAL")
        with transaction.atomic():
            seed.fill()
