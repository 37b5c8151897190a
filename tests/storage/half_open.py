"""Runs in a network of its own: `half_open.py`, DSN on stdin.

The line to the server goes over the loopback, which is then taken down: no packet
arrives any more and nobody says so. Prints how long a statement takes to fail.
"""

from __future__ import annotations

import fcntl
import json
import socket
import struct
import sys
import time

from malexbot.errors import Transient
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from tests.storage.proxy import Proxy

SIOCSIFFLAGS = 0x8914
IFF_UP = 1


def switch_loopback(flags: int) -> None:
    request = struct.pack("16sh22x", b"lo", flags)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def main() -> None:
    dsn = Dsn(**json.loads(sys.stdin.readline()))
    switch_loopback(IFF_UP)
    with Proxy(dsn).running() as proxy, Database(proxy.dsn) as database:
        with database.transaction() as cursor:
            cursor.execute("SELECT 1")
            switch_loopback(0)
            began = time.monotonic()
            try:
                cursor.execute("SELECT 1")
            except Transient:
                print(time.monotonic() - began, flush=True)
            finally:
                switch_loopback(IFF_UP)


if __name__ == "__main__":
    try:
        main()
    except Transient:
        pass  # the transaction was lost, as it should
