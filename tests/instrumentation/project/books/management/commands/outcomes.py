from celery import current_app
from django.core.management.base import BaseCommand

from books import outcomes


class Command(BaseCommand):
    """Publish tasks of `books.outcomes`, or of that name; with --doomed two that never run."""

    def add_arguments(self, parser):
        parser.add_argument("names", nargs="*")
        parser.add_argument("--doomed", action="store_true")

    def handle(self, *args, names, doomed, **options):
        for name in names:
            task = getattr(outcomes, name, None)
            result = task.apply_async() if task else current_app.send_task(name)
            self.stdout.write(result.id)
        if doomed:
            outcomes.succeed.apply_async(countdown=1, expires=0.1)
            revoked = outcomes.succeed.apply_async(countdown=1)
            current_app.control.revoke(revoked.id)
