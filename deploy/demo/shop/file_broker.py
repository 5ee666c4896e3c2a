"""Celery's broker in a folder: a message is there whole, or not at all."""

import uuid
from pathlib import Path
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
