"""duplicate_middleware: a middleware installed twice.

A middleware that is listed twice is found once for its service.
"""

from support.rule_cases import (
    Expected,
    clean,
    guilty,
    query,
    web,
)

TWICE = {"hotspan.django.middleware_duplicates": ["shop.middleware.BranchMiddleware"]}

CASES = [
    guilty(
        "one of them",
        web(ms=5, attributes=TWICE),
        Expected(
            severity="warning",
            confidence="high",
            count=1,
            suggestion="remove",
            says="shop.middleware.BranchMiddleware",
            missing=(),
            wasted_ms=0,
        ),
    ),
    guilty(
        "two of them",
        web(
            ms=5,
            attributes={"hotspan.django.middleware_duplicates": ["shop.a.Second", "shop.a.First"]},
        ),
        Expected(count=2, says="shop.a.First, shop.a.Second"),
    ),
    guilty("as text", web(ms=5, attributes={"hotspan.django.middleware_duplicates": "shop.a.B"})),
    clean("none", web(ms=5, attributes={"hotspan.django.middleware_duplicates": []})),
    clean("stock", web(ms=5)),
    clean("on another span", web(query("SELECT 1 FROM t", attributes=TWICE))),
]
