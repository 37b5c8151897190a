"""The errors that malexbot raises; the edge decides which a foreign failure is."""

from __future__ import annotations

# The exit codes that an operator and systemd see (sysexits.h where it has a name).
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_TEMPORARY = 75
EXIT_CONFIG = 78
EXIT_INTERRUPTED = 130

EXIT_CODES = {
    0: "done, or all is well",
    EXIT_FAILED: "it failed, or something is wrong that status or doctor name",
    EXIT_USAGE: "wrong usage: unknown options, or such as do not go together",
    EXIT_TEMPORARY: "the database, the server or the daemon is away: try again later",
    EXIT_CONFIG: "the configuration is wrong, malexbot check names it",
    EXIT_INTERRUPTED: "ended by Ctrl-C",
}

# What other people's code may raise, sys.exit() included: a thread that this ends
# does so without a word. It is caught at the borders only.
ANYTHING = (Exception, SystemExit)


class MalexbotError(Exception):
    """Something failed; the message tells a person what it was and what to do."""

    exit_code = EXIT_FAILED


class Transient(MalexbotError):
    """It may work when tried again: a line that is down, a server that is busy."""

    exit_code = EXIT_TEMPORARY

    @property
    def retry_after_s(self) -> float | None:
        """How long the other side asks us to wait; None when it does not say."""
        return None

    @property
    def is_of_target(self) -> bool:
        """Yes: it holds of all that goes there, and was told already, once for all."""
        return False


class Permanent(MalexbotError):
    """Trying again cannot help: somebody has to change something."""


class Unstorable(Permanent):
    """What was to be kept is such that nobody can; the message tells what is wrong."""


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
