import json

from django.http import HttpResponse
from django.urls import path

from corpus_shop import calls, pages, reads, waits, writes
from corpus_shop.registry import PAGES, WORKS
from corpus_shop.tasks import app

MODULES = (calls, pages, reads, waits, writes)


def _page_of(function):
    def view(request):
        function()
        return HttpResponse("done")

    return view


def publish(request):
    """Publish a task, as the body says."""
    asked = json.loads(request.body)
    app.tasks[asked["task"]].apply_async(**asked["options"])
    return HttpResponse("published")


urlpatterns = [
    path("publish/", publish),
    *(path(f"{name}/", view) for name, view in PAGES.items()),
    *(path(f"{name}/", _page_of(function)) for name, function in WORKS.items()),
]
