"""Tasks that end in every way a task can."""

import contextlib
import os
import resource
import signal
import time
from pathlib import Path

from celery import shared_task
from celery.exceptions import Ignore, Reject, SoftTimeLimitExceeded


class OutOfStockError(Exception):
    pass


@shared_task
def succeed():
    pass


@shared_task
def fail():
    raise OutOfStockError("no more of it")


@shared_task(throws=(OutOfStockError,))
def fail_as_expected():
    raise OutOfStockError("no more of it")


@shared_task(autoretry_for=(ConnectionError,), max_retries=1, retry_kwargs={"countdown": 0})
def flaky():
    raise ConnectionError("try later")


@shared_task(bind=True, max_retries=None)
def try_again(self):
    if not self.request.retries:
        raise self.retry(countdown=0)


@shared_task
def reject():
    raise Reject("not mine")


@shared_task
def ignore():
    raise Ignore


@shared_task(soft_time_limit=1)
def exceed_the_soft_limit():
    time.sleep(60)


@shared_task(time_limit=1)
def exceed_the_hard_limit():
    time.sleep(60)


SENT_S = 1.0  # a child has sent the spans of earlier tasks by then


@shared_task
def die():
    time.sleep(SENT_S)
    os.kill(os.getpid(), signal.SIGKILL)


@shared_task
def leave():
    time.sleep(SENT_S)
    os._exit(1)


@shared_task
def last_forever():
    time.sleep(60)


@shared_task(soft_time_limit=1)
def catch_the_soft_limit():
    with contextlib.suppress(SoftTimeLimitExceeded):
        time.sleep(60)


@shared_task
def exhaust_memory():
    before = resource.getrlimit(resource.RLIMIT_AS)
    used_bytes = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used_bytes + 50_000_000, before[1]))
    try:
        bytearray(500_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@shared_task
def abort():
    time.sleep(SENT_S)
    os.abort()  # as C libraries do that get no memory
