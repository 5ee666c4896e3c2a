import os

if "BOOKSHOP_CONFIGURE" in os.environ:
    import hotspan_instrumentation

    hotspan_instrumentation.configure()
    hotspan_instrumentation.configure()

from bookshop.worker import app

__all__ = ["app"]
