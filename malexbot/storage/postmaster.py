"""A running PostgreSQL server, ours or one that an earlier process of ours left."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path
from subprocess import Popen

from malexbot.runtime.deadline import Deadline
from malexbot.runtime.heart import outside

_POLL_S = 0.02


class Postmaster:
    """The server of one data directory, known by its pid."""

    def __init__(
        self, pid: int, folder: Path, child: Popen[bytes] | None = None
    ) -> None:
        self.pid = pid
        self._folder = folder
        self._child = child
        self._handle = os.pidfd_open(pid)

    @classmethod
    def find(cls, folder: Path) -> Postmaster | None:
        """The living server of that data directory.

        After a crash the pid in its file may be anybody's; so the process must
        be one that was started for this very directory.
        """
        pid = recorded_pid(folder)
        try:
            found = cls(pid, folder) if pid else None
        except OSError:
            return None
        if found is None:
            return None
        if found._is_ours():
            return found
        found.close()
        return None

    def _is_ours(self) -> bool:
        try:
            command = Path(f"/proc/{self.pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        wanted = [b"-D", os.fsencode(self._folder)]
        return command[0].endswith(b"postgres") and command[1:3] == wanted

    @property
    def is_alive(self) -> bool:
        return not self.wait(0)

    @property
    def is_ready(self) -> bool:
        """Yes: it takes connections. It writes that into the file of its pid."""
        lines = _pid_file(self._folder)
        return len(lines) > 7 and lines[7] == "ready" and lines[0] == str(self.pid)

    def wait(self, seconds: float) -> bool:
        """Yes: it has ended."""
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        with outside("the embedded PostgreSQL"):
            return bool(poll.poll(round(seconds * 1000)))

    def wait_ready(self, deadline: Deadline) -> bool:
        """Yes: it is up. No: it has ended, or is not up in time."""
        while not self.is_ready:
            if self.wait(_POLL_S) or deadline.is_over:
                return False
        return True

    def stop(self, seconds: float = 20.0) -> None:
        """End it; sessions are cut, what was committed is written out."""
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            self._send(number)
            if self.wait(seconds):
                return

    def _send(self, number: signal.Signals) -> None:
        try:
            signal.pidfd_send_signal(self._handle, number)
        except ProcessLookupError:
            return

    def close(self) -> None:
        """Know no more of it; it may live on."""
        if self._child is not None and self._child.poll() is None:
            self._child.returncode = 0  # it outlives us, nothing to warn of
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def recorded_pid(folder: Path) -> int | None:
    """The pid that the last server of that directory has left."""
    lines = _pid_file(folder)
    return int(lines[0]) if lines and lines[0].isdigit() else None


def _pid_file(folder: Path) -> list[str]:
    try:
        text = (folder / "postmaster.pid").read_text("ascii", "replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines()]
