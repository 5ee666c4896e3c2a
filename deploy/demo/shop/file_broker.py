"""Celery's broker in a folder: a message is there whole, or not at all.

And the worker runs on Celery's event loop, as with Redis: each child has pipes of its own. kombu's
transport leads to the pool of threads instead, whose children share a lock; one that is killed
while it holds that lock stops all that come after it.
"""

import contextlib
import uuid
from pathlib import Path
from queue import Empty
from time import monotonic_ns

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """Writes a message under another name first: kombu's worker may read what is half written."""

    def _put(self, queue, payload, **kwargs):
        del kwargs
        folder = Path(self.data_folder_out)
        name = f"{monotonic_ns() // 1_000_000}_{uuid.uuid4()}"
        unfinished = folder / f"{name}.unfinished"
        unfinished.write_text(dumps(payload))
        unfinished.replace(folder / f"{name}.{queue}.msg")


class Transport(filesystem.Transport):
    Channel = Channel
    implements = filesystem.Transport.implements.extend(asynchronous=True)

    def register_with_event_loop(self, connection, loop):
        """Look into the folder whenever something happens in the worker, and regularly."""
        del connection
        loop.on_tick.add(self.take_messages)
        loop.call_repeatedly(self.polling_interval, lambda: None)

    def take_messages(self):
        """Take as many as the worker may have at a time."""
        with contextlib.suppress(Empty):
            while True:
                self.cycle.get(self._deliver)
