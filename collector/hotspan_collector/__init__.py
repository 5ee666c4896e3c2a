"""The collector: takes OTLP in, stores spans, finds what is wrong with them, tells people."""

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    """Return the version, which takes a while to find out, to those who ask."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version  # noqa: PLC0415 (see above)

    return version("hotspan")
