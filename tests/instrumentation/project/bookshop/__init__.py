from bookshop.worker import app

__all__ = ["app"]
