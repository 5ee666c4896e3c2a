from django.http import JsonResponse
from django.urls import include, path


def health(request):
    return JsonResponse({"status": "ok"})


urlpatterns = [
    path("health/", health),
    path("erp/", include("shop.erp.urls")),
    path("chat/", include("shop.chat.urls")),
]
