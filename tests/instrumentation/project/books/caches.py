import time

from django.core.cache.backends.locmem import LocMemCache


class SlowCache(LocMemCache):
    def get(self, *args, **kwargs):
        time.sleep(0.03)
        return super().get(*args, **kwargs)
