"""Whose turn it is: opens the database, waits for the lock, and keeps it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from malexbot.errors import Misconfigured, Transient
from malexbot.runtime.retry import Backoff
from malexbot.runtime.stop import Stop
from malexbot.storage.check import check_server
from malexbot.storage.database import Database
from malexbot.storage.leadership import Leadership
from malexbot.storage.migrate import migrate

log = logging.getLogger(__name__)

# An active daemon shows its life so often, a standby looks for it so often.
PULSE_S = 1.0
# A database that is away is asked again after this long at most, so that the
# daemon is back within seconds of it.
LONGEST_WAIT_S = 3.0


@dataclass(frozen=True, slots=True)
class Active:
    """It is our turn: we write, with this epoch."""

    database: Database
    leadership: Leadership
    epoch: int
    timeline: str = ""

    def __str__(self) -> str:
        return f"active (epoch {self.epoch})"

    def breaks_with(self, before: Active) -> str:
        """Why what is known since `before` may not hold any more; "" if it does."""
        if self.epoch == before.epoch:
            # The lock was ours all the time; only a sign of life did not come through.
            return ""
        if self.epoch != before.epoch + 1:
            return "another daemon was active meanwhile"
        if self.timeline and before.timeline not in ("", self.timeline):
            return (
                "another server has taken over the database, maybe without what was"
                " written last"
            )
        return ""


@dataclass(frozen=True, slots=True)
class Standby:
    """Another daemon is active; we wait."""

    holder: str

    def __str__(self) -> str:
        return f"standby: {self.holder} is active"


@dataclass(frozen=True, slots=True)
class Outage:
    """The database cannot be reached; what is running keeps what it has."""

    reason: str

    def __str__(self) -> str:
        return f"waiting for the database: {self.reason}"


Turn = Active | Standby | Outage


class Duty:
    """Tells whose turn it is, each time that it changes."""

    name = "duty"
    is_vital = True

    def __init__(
        self,
        *,
        open_database: Callable[[], AbstractContextManager[Database]],
        tell: Callable[[Turn], None],
    ) -> None:
        self._open_database = open_database
        self._tell = tell
        self._told: str | None = None
        self._backoff = Backoff(first_s=0.5, longest_s=LONGEST_WAIT_S)

    def run(self, stop: Stop) -> None:
        while not stop.is_set:
            try:
                with self._open_database() as database:
                    self._serve(database, stop)
            except (Transient, Misconfigured) as error:
                self._out(error, stop)

    def _serve(self, database: Database, stop: Stop) -> None:
        is_checked = False
        leadership = Leadership(database.dsn)
        try:
            while not stop.is_set:
                try:
                    if not is_checked:
                        check_server(database)
                        migrate(database)
                        is_checked = True
                    self._take_and_keep(database, leadership, stop)
                except (Transient, Misconfigured) as error:
                    self._out(error, stop)
        finally:
            leadership.close()

    def _take_and_keep(
        self, database: Database, leadership: Leadership, stop: Stop
    ) -> None:
        while not leadership.try_take():
            holder = leadership.holder()
            self._change(Standby(str(holder) if holder else "another daemon"))
            if stop.wait(PULSE_S):
                return
        self._backoff.reset()
        turn = Active(database, leadership, leadership.epoch, leadership.timeline)
        self._change(turn)
        while not stop.wait(PULSE_S):
            leadership.keep()

    def _out(self, error: Transient | Misconfigured, stop: Stop) -> None:
        """A refusal ends us only at the start; later it is an outage like others."""
        if isinstance(error, Misconfigured) and self._told is None:
            raise error
        if not stop.is_set:
            self._change(Outage(str(error)))
            stop.wait(self._backoff.next_s())

    def _change(self, turn: Turn) -> None:
        if self._told == str(turn):
            return
        self._told = str(turn)
        log.log(
            logging.WARNING if isinstance(turn, Outage) else logging.INFO, "%s", turn
        )
        self._tell(turn)
