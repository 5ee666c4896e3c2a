"""An embedded store, and what is found in all cases."""

from support.embedded import embedded_store

__all__ = ["embedded_store"]
