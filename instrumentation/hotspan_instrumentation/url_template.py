"""What the URLs of calls to one endpoint have in common."""

import functools
import re
from typing import Final
from urllib.parse import urlsplit

__all__ = ["url_template"]

_LONGEST: Final = 1000
# Numbers, ids, addresses, codes (`USD`), and what is too long to be a word.
_VARYING: Final = re.compile(r"[0-9@%]|\A[A-Z_-]{2,}\Z|.{25}")
_VERSION: Final = re.compile(r"\Av\d+\Z")


@functools.lru_cache(maxsize=1024)
def url_template(url: str) -> str:
    """Return the path of a URL with `{id}` for each part that differs from call to call.

    The path is what the convention of `url.template` asks for: absolute, without host and query.
    """
    parts = urlsplit(url[:_LONGEST]).path.split("/")
    return "/".join("{id}" if _varies(part) else part for part in parts) or "/"


def _varies(part: str) -> bool:
    return bool(_VARYING.search(part)) and not _VERSION.match(part)
