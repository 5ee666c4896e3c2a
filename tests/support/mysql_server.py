"""A MySQL server for tests: Debian's MariaDB, on a data folder of its own."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pymysql

from support.processes import Process, ProcessError, free_port

_ACCOUNT = "mysql"  # what the package makes; the server does not like to be root


class MysqlServer:
    """One server on a free port of 127.0.0.1, whose root has no password."""

    def __init__(self) -> None:
        # Not below pytest's folders, which no other account may enter.
        self._directory = Path(tempfile.mkdtemp(prefix="hotspan-mysql-"))
        self._user = _ACCOUNT if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._directory, self._user, self._user)
        self.port = free_port()
        self.process = Process(
            [
                *(_program("mariadbd"), "--no-defaults", f"--datadir={self._data}"),
                *("--bind-address=127.0.0.1", f"--port={self.port}"),
                *(f"--socket={self._directory / 'socket'}", "--innodb-buffer-pool-size=32M"),
                *("--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"),
            ],
            log_path=self._directory / "mysql.log",
            cwd=self._directory,
            user=self._user,
        )

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    def url(self, database: str = "mysql") -> str:
        """Return the URL of a database on this server."""
        return f"mysql://root@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server, the first time on new tables, and wait until it answers."""
        if not self._data.exists():
            self._initialise()
        self.process.start()
        self.process.wait_for_line("ready for connections")

    def remove(self) -> None:
        """Take the server down and delete its data."""
        self.process.terminate()
        shutil.rmtree(self._directory, ignore_errors=True)

    def create_database(self, name: str) -> str:
        """Make an empty database and return its URL."""
        self._execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Delete a database."""
        self._execute(f"DROP DATABASE `{name}`")

    def _execute(self, statement: str) -> None:
        connection = pymysql.connect(host="127.0.0.1", port=self.port, user="root")
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)

    def _initialise(self) -> None:
        subprocess.run(
            [
                *(_program("mariadb-install-db"), "--no-defaults", f"--datadir={self._data}"),
                *("--auth-root-authentication-method=normal", "--skip-test-db"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._directory,
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
        )


def _program(name: str) -> str:
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if path is None:
        raise ProcessError(f"MariaDB's {name} is missing; run 'make test-setup'")
    return path
