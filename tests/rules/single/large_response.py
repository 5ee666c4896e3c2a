"""large_response: responses that leave big and uncompressed.

Text and JSON of 100 kB and more are compressed, or found.
"""

from support.rule_cases import (
    Expected,
    clean,
    guilty,
    web,
)


def response(size, *, content_type="application/json", encoding=None, method="GET", **more):
    return web(
        name=f"{method} catalogue/",
        ms=20,
        attributes={
            "http.response.body.size": size,
            "http.response.header.content-type": [content_type],
            "http.response.header.content-encoding": None if encoding is None else [encoding],
            **more,
        },
    )


CASES = [
    guilty(
        "480 kB of JSON",
        response(480_000),
        Expected(
            severity="warning",
            confidence="high",
            count=1,
            suggestion="gzip",
            says="480 kB of application/json",
            missing=(),
            wasted_ms=0,
        ),
    ),
    guilty("100 kB", response(100_000)),
    guilty("HTML", response(150_000, content_type="text/html; charset=utf-8")),
    guilty("a dialect of JSON", response(150_000, content_type="application/problem+json")),
    guilty("CSV", response(150_000, content_type="text/csv")),
    guilty("encoded as itself", response(150_000, encoding="identity")),
    guilty(
        "stock, with headers captured",
        web(
            ms=20,
            attributes={
                "http.response.header.content_length": ["480000"],
                "http.response.header.content_type": ["application/json"],
            },
        ),
    ),
    clean("99 kB", response(99_999)),
    clean("compressed", response(150_000, encoding="gzip")),
    clean("compressed otherwise", response(150_000, encoding="br")),
    clean("a picture", response(900_000, content_type="image/png")),
    clean("a PDF", response(900_000, content_type="application/pdf")),
    clean("an archive", response(900_000, content_type="application/zip")),
    clean("HEAD", response(900_000, method="HEAD")),
    clean("stock", web(ms=20)),
]
