"""Are the demo's ports free, and if not, who has them?"""

from __future__ import annotations

import socket
from pathlib import Path

from hotspan_demo.errors import DemoError

__all__ = ["check_free", "owner"]

LISTEN = "0A"


def check_free(ports: dict[str, int]) -> None:
    """Check the ports, given by the option that changes each.

    Raises:
        DemoError: some are taken or used twice; the message names port, owner and option.

    """
    taken = [
        f"Port {port} is taken{by(owner(port))}. End it, or choose another port with {option}."
        for option, port in ports.items()
        if not is_free(port)
    ]
    twice = [
        f"Port {port} is used more than once. Choose another one with {option}."
        for option, port in ports.items()
        if list(ports.values()).count(port) > 1
    ]
    if taken or twice:
        raise DemoError("\n".join(taken + twice))


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections that still linger are no obstacle, a listener is.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def by(name: str | None) -> str:
    return f" by {name}" if name else ""


def owner(port: int) -> str | None:
    """Who listens on a port, as `command (process 123)`; None where that cannot be seen."""
    wanted = {f"socket:[{inode}]" for inode in listening_inodes(port)}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*") if wanted else ():
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue
        if target in wanted:
            pid = descriptor.parts[2]
            return f"{command(pid)} (process {pid})"
    return None


def listening_inodes(port: int) -> set[str]:
    """Inodes of the sockets that listen on a port, from the kernel's tables."""
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        lines = table.read_text().splitlines()[1:] if table.exists() else []
        for local, state, inode in ((f[1], f[3], f[9]) for f in map(str.split, lines)):
            if state == LISTEN and int(local.rpartition(":")[2], 16) == port:
                inodes.add(inode)
    return inodes


def command(pid: str) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return "a process"
    return " ".join(Path(word).name if word.startswith("/") else word for word in words[:3]).strip()
