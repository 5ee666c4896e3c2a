"""How long and how large the long measurements are. Smaller values show whether they work."""

import os

RUN_S = float(os.environ.get("HOTSPAN_BENCH_RUN_S", "60"))
"""Of one run of one collector beside another, in seconds."""
ROUNDS = int(os.environ.get("HOTSPAN_BENCH_ROUNDS", "3"))
"""How often the two take turns."""
SPANS_STORED = int(os.environ.get("HOTSPAN_BENCH_SPANS", "10000000"))
"""With so many stored, questions are asked."""
