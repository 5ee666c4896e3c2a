"""debug_enabled: DEBUG in production.

DEBUG is found where the environment is named like production.
"""

from support.rule_cases import (
    Expected,
    clean,
    guilty,
    web,
)

DEBUG = {"hotspan.django.debug": True}
PRODUCTION = ("production", "prod", "PROD", "prod-eu", "eu.production", "live", "prd2")
ELSEWHERE = (
    "staging",
    "development",
    "test",
    "",
    "preprod",
    "pre-production",
    "non-prod",
    "production-like",
    "product-demo",
    "delivery",
)

CASES = [
    guilty(
        "on, enriched",
        web(ms=5, attributes=DEBUG),
        Expected(
            severity="critical",
            confidence="high",
            count=1,
            suggestion="off",
            says="DEBUG = False",
            missing=(),
            wasted_ms=0,
        ),
    ),
    *(guilty(f"in {name}", web(ms=5, attributes=DEBUG, environment=name)) for name in PRODUCTION),
    *(clean(f"in {name!r}", web(ms=5, attributes=DEBUG, environment=name)) for name in ELSEWHERE),
    clean("off", web(ms=5, attributes={"hotspan.django.debug": False})),
    clean("stock", web(ms=5)),
]
