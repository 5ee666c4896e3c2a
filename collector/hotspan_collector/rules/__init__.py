"""Rules: what they are (catalogue), and how they are run over what has come (evaluator)."""
