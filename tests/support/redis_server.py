"""A Redis server for tests: Debian's, in memory only."""

from pathlib import Path

import redis

from support.processes import Process, free_port


class RedisServer:
    """One server on a free port; a restart forgets everything."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.process = Process(
            [
                *("redis-server", "--bind", "127.0.0.1", "--port", str(self.port)),
                *("--save", "", "--appendonly", "no", "--dir", directory),
            ],
            log_path=directory / "redis.log",
        )

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self.process.start()
        self.process.wait_for_line("Ready to accept connections")

    def stop(self) -> None:
        """Take the server down."""
        self.process.terminate()

    def clear(self) -> None:
        """Forget every key."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()
