"""From the bytes of a request to spans that are stored: checking, batching, committing."""
