"""Databases, cache and broker: files by default, servers when their URLs are set."""

from pathlib import Path
from urllib.parse import unquote, urlsplit


def database(url, *, work_dir: Path):
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(work_dir / "shop.sqlite3"),
            "CONN_MAX_AGE": None,
            "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
        }
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
    }


def cache(url, *, work_dir: Path):
    if url:
        return {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}
    return {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(work_dir / "cache"),
    }


def broker(url, *, work_dir: Path):
    """The broker's URL and its transport options."""
    if url:
        return url, {}
    folders = {
        "data_folder_in": work_dir / "broker" / "messages",
        "data_folder_out": work_dir / "broker" / "messages",
        "control_folder": work_dir / "broker" / "control",
    }
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    options = {name: str(folder) for name, folder in folders.items()}
    return "filesystem://", {**options, "polling_interval": 0.1}
