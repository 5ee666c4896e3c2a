from django.urls import path

from shop.chat import answer
from shop.release import pick

urlpatterns = [
    path("conversations/<int:pk>/answer/", pick(answer.answer, answer.answer_fixed)),
]
