"""The collector: takes OTLP in, stores spans, finds what is wrong with them, tells people."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("hotspan")
