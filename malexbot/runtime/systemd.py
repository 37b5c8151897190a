"""What systemd is told of us: ready, status, watchdog, reloading, stopping."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import MutableMapping


class Notifier:
    """Sends notices to the manager's socket; without one it keeps silent."""

    def __init__(self, address: str | None, *, watchdog_s: float | None = None) -> None:
        self._address = address
        self.watchdog_s = watchdog_s

    @classmethod
    def take(cls, environ: MutableMapping[str, str] = os.environ) -> Notifier:
        """Read what systemd gave us, and take it away from our children."""
        address = environ.pop("NOTIFY_SOCKET", None)
        usec = environ.pop("WATCHDOG_USEC", None)
        pid = environ.pop("WATCHDOG_PID", None)
        is_ours = usec is not None and pid in (None, str(os.getpid()))
        return cls(address, watchdog_s=int(usec) / 1e6 if usec and is_ours else None)

    def ready(self, status: str) -> None:
        self._send("READY=1", f"STATUS={status}")

    def status(self, text: str) -> None:
        self._send(f"STATUS={text}")

    def alive(self) -> None:
        self._send("WATCHDOG=1")

    def reloading(self) -> None:
        # systemd compares this stamp with its own to know which reload was meant.
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, status: str) -> None:
        self._send("STOPPING=1", f"STATUS={status}")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        # An "@" stands for the zero byte of Linux's abstract sockets.
        address = self._address.replace("@", "\0", 1)
        text = "\n".join(line.replace("\n", " ") for line in lines)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.setblocking(False)
            try:
                line.sendto(text.encode(errors="backslashreplace"), address)
            except OSError:
                # A manager that does not listen must not stop us: it may restart.
                return
