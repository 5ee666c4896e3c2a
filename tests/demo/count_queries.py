"""Asks pages of the shop and prints how many statements each took, as JSON.

Runs in a process of its own, because Django is set up once, for one release:

    python count_queries.py '[{"method": "GET", "path": "/erp/orders/", "headers": {}}]'
"""

import json
import logging
import re
import sys
from collections import Counter

import django
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

LITERAL = re.compile(r"\b\d+\b|'[^']*'")
READS_AND_WRITES = ("SELECT", "INSERT", "UPDATE", "DELETE")


def measure(request):
    body = json.dumps(request.get("body"))
    with CaptureQueriesContext(connection) as captured:
        response = Client().generic(
            request["method"],
            request["path"],
            body,
            content_type="application/json",
            headers=request["headers"],
        )
    statements = [query["sql"] for query in captured.captured_queries]
    counted = [sql for sql in statements if sql.startswith(READS_AND_WRITES)]
    shapes = Counter(LITERAL.sub("?", sql) for sql in counted)
    return {
        "status": response.status_code,
        "queries": len(counted),
        "most_repeated": max(shapes.values(), default=0),
        "bytes": len(response.content),
    }


if __name__ == "__main__":
    logging.disable()
    django.setup()
    call_command("prepare")
    json.dump([measure(request) for request in json.loads(sys.argv[1])], sys.stdout)
