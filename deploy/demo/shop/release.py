"""Which release of the shop runs: 1.0.0 as the audits found it, 1.1.0 as they left it."""

import os

BEFORE = "1.0.0"
AFTER = "1.1.0"

RELEASE = os.environ.get("SHOP_RELEASE", BEFORE)

if RELEASE not in {BEFORE, AFTER}:
    msg = f"SHOP_RELEASE is {RELEASE!r}; set it to {BEFORE} or {AFTER}"
    raise ValueError(msg)


def pick(before, after):
    """What this release runs: the problem, or the fix that stands beside it."""
    return before if RELEASE == BEFORE else after
