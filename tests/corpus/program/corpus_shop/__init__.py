"""A shop whose pages and tasks each do one thing, right or wrong: what is recorded."""

from corpus_shop.celery import app

__all__ = ["app"]
