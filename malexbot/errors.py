"""The errors that malexbot raises; the edge decides which a foreign failure is."""

from __future__ import annotations

# The exit codes that an operator and systemd see (sysexits.h where it has a name).
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_CONFIG = 78


class MalexbotError(Exception):
    """Something failed; the message tells a person what it was and what to do."""

    exit_code = EXIT_FAILED


class Transient(MalexbotError):
    """It may work when tried again: a line that is down, a server that is busy."""

    @property
    def retry_after_s(self) -> float | None:
        """How long the other side asks us to wait; None when it does not say."""
        return None


class Permanent(MalexbotError):
    """Trying again cannot help: somebody has to change something."""


class Uncertain(MalexbotError):
    """Nobody can tell whether it happened: the line broke after the request left."""


class Misconfigured(Permanent):
    """The daemon cannot start like this; systemd must not restart it."""

    exit_code = EXIT_CONFIG

    def __init__(self, what: str, cure: str = "") -> None:
        super().__init__(f"{what}: {cure}" if cure else what)
        self.what = what
        self.cure = cure
        """What is to be done; empty where `what` says it, or nobody can know."""
