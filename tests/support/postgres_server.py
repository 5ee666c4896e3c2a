"""A PostgreSQL server for tests: Debian's, on a data folder of its own."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from support.processes import Process, ProcessError, free_port

_ACCOUNT = "postgres"


class PostgresServer:
    """One server on a free port, which trusts whoever connects on 127.0.0.1."""

    def __init__(self) -> None:
        # Not below pytest's folders: PostgreSQL refuses to run as root, and no other account
        # may enter those.
        self._directory = Path(tempfile.mkdtemp(prefix="hotspan-postgres-"))
        self._user = _ACCOUNT if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._directory, self._user, self._user)
        self.port = free_port()
        self.process = Process(
            [
                *(_program("postgres"), "-D", self._data, "-h", "127.0.0.1", "-p", str(self.port)),
                *("-c", "unix_socket_directories=", "-c", "fsync=off"),
            ],
            log_path=self._directory / "postgres.log",
            cwd=self._directory,
            user=self._user,
        )

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database on this server."""
        return f"postgresql://{_ACCOUNT}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server, the first time on a new cluster, and wait until it answers."""
        if not self._data.exists():
            self._initialise()
        self.process.start()
        self.process.wait_for_line("database system is ready to accept connections")

    def stop(self) -> None:
        """Take the server down."""
        self.process.terminate()

    def remove(self) -> None:
        """Take the server down and delete its data."""
        self.stop()
        shutil.rmtree(self._directory, ignore_errors=True)

    def create_database(self, name: str) -> str:
        """Make an empty database and return its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(_name(name)))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Delete a database, also one that somebody is connected to."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(_name(name)))

    def _initialise(self) -> None:
        subprocess.run(
            [
                *(_program("initdb"), "-D", self._data, "-U", _ACCOUNT, "--auth=trust"),
                *("--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self._directory,
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
        )


def _name(name: str) -> sql.Identifier:
    return sql.Identifier(name)


def _program(name: str) -> Path:
    """Find a server program, which Debian keeps off the PATH."""
    if found := sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")):
        return found[-1]
    if path := shutil.which(name):
        return Path(path)
    raise ProcessError(f"PostgreSQL's {name} is missing; run 'make test-setup'")
