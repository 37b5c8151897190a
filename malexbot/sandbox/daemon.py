"""The daemon as a child process, watched as systemd would watch it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from malexbot.errors import MalexbotError

PROGRAM = (sys.executable, "-m", "malexbot", "run")
# What a start, an answer or an end may take on a busy machine.
PATIENCE_S = 30.0


class DaemonProcess:
    """Runs `malexbot run`, keeps what it logs, and hears what it tells systemd."""

    def __init__(
        self,
        config: Path,
        *,
        program: Sequence[str] = PROGRAM,
        environ: Mapping[str, str] | None = None,
        watchdog_s: float | None = None,
    ) -> None:
        self._command = [*program, "--config", str(config)]
        self._environ = dict(environ or {})
        if watchdog_s:
            self._environ["WATCHDOG_USEC"] = str(int(watchdog_s * 1e6))
        self._changed = threading.Condition()
        self._lines: list[str] = []
        self._notices: list[dict[str, str]] = []
        self._folder = tempfile.TemporaryDirectory(prefix="malexbot-")
        self._threads: list[threading.Thread] = []
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        address = str(Path(self._folder.name, "notify"))
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._manager.bind(address)
        self._process = subprocess.Popen(
            self._command,
            env={**os.environ, **self._environ, "NOTIFY_SOCKET": address},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        for work in (self._read_log, self._hear):
            thread = threading.Thread(target=work, name=work.__name__, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End it, by force if it does not go when told, and clean up."""
        if self._process is None:
            return
        try:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._process.wait()
        self._poke()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        self._manager.close()
        if self._process.stderr:
            self._process.stderr.close()
        self._folder.cleanup()
        self._process = None

    def __enter__(self) -> DaemonProcess:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the number of the signal that killed it."""
        return self._running().poll()

    @property
    def log(self) -> str:
        with self._changed:
            return "".join(self._lines)

    @property
    def status(self) -> str:
        """What `systemctl status` would show."""
        with self._changed:
            texts = [notice["STATUS"] for notice in self._notices if "STATUS" in notice]
        return texts[-1] if texts else ""

    def notices(self, key: str) -> list[str]:
        """All values that were told for one key, as "READY" or "WATCHDOG"."""
        with self._changed:
            return [notice[key] for notice in self._notices if key in notice]

    def signal(self, number: signal.Signals) -> None:
        self._running().send_signal(number)

    def wait(self, seconds: float = PATIENCE_S) -> int:
        """The exit code, once the process has ended and all it said was read."""
        code = self._running().wait(seconds)
        self._threads[0].join(PATIENCE_S)
        return code

    def wait_until(
        self, is_true: Callable[[], bool], seconds: float = PATIENCE_S
    ) -> float:
        """Wait for something that it logs or tells; returns how long that took."""
        started = time.monotonic()
        with self._changed:
            if self._changed.wait_for(is_true, seconds):
                return time.monotonic() - started
        raise MalexbotError(
            f"waited {seconds:g} s in vain; the last status was {self.status!r}"
            f" and the log\n{self.log}"
        )

    def wait_for_status(self, text: str, seconds: float = PATIENCE_S) -> float:
        return self.wait_until(lambda: text in self.status, seconds)

    def wait_for_log(self, text: str, seconds: float = PATIENCE_S) -> float:
        return self.wait_until(lambda: text in self.log, seconds)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise MalexbotError("the daemon was not started")
        return self._process

    def _read_log(self) -> None:
        stream = self._running().stderr
        for line in stream or ():
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()

    def _hear(self) -> None:
        while text := self._manager.recv(8192).decode():
            notice = dict(line.split("=", 1) for line in text.splitlines())
            with self._changed:
                self._notices.append(notice)
                self._changed.notify_all()

    def _poke(self) -> None:
        """An empty notice ends the listening thread."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.sendto(b"", self._manager.getsockname())
