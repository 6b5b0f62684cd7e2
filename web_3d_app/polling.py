"""Whether a socket has something to read."""

from __future__ import annotations

import select
import socket


def wait_readable(connection: socket.socket, seconds: float) -> bool:
    """Whether bytes, or the end, come within so many seconds. Raises OSError or ValueError for a closed socket."""
    look = select.poll()  # select() knows no more than 1024 files
    look.register(connection.fileno(), select.POLLIN)
    return bool(look.poll(1000 * seconds))
