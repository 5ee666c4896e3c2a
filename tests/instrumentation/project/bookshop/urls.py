from books import views
from django.urls import include, path

urlpatterns = [
    path("books/", views.books),
    path("async-books/", views.async_books),
    path("ship/", views.ship),
    path("process/", views.process),
    path("calls/", include("books.calls")),
    path("pages/", include("books.pages")),
]
