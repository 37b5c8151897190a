"""One daemon after the other: started, killed, and started again."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from malexbot.sandbox.daemon import DaemonProcess
from tests.crash.doomed import PROGRAM

PATIENCE_S = 60.0
# So much of the log tells why.
LOG_END = 6_000


class Daemons:
    """Those of one configuration; there is one at a time."""

    def __init__(self, config: Path) -> None:
        self.daemon: DaemonProcess | None = None
        self._config = config
        self._story: list[str] = []

    def tell(self, what: str) -> None:
        """Something for whoever reads why it failed."""
        self._story.append(what)

    def start(self, watchdog_s: float | None = None) -> DaemonProcess:
        self.stop()
        self.daemon = DaemonProcess(
            self._config, program=PROGRAM, watchdog_s=watchdog_s
        )
        self.daemon.start()
        return self.daemon

    def stop(self) -> None:
        daemon, self.daemon = self.daemon, None
        if daemon is not None:
            daemon.stop()

    def kill(self) -> None:
        """SIGKILL to the daemon of now; called by whoever sees the moment."""
        assert self.daemon is not None
        os.kill(self.daemon.pid, signal.SIGKILL)

    def wait_for_the_kill(self) -> None:
        """It was killed, and did not end for another reason."""
        assert self.daemon is not None
        code = self.daemon.wait(PATIENCE_S)
        assert code == -signal.SIGKILL, self.failure(f"ended with {code}")

    def failure(self, what: str) -> str:
        """That, and all that tells why."""
        log = self.daemon.log[-LOG_END:] if self.daemon else ""
        return "\n".join([what, *self._story, log])
