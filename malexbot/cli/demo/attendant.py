"""Who looks after malexbot in the demo, and starts it again when it has died."""

from __future__ import annotations

import signal

from malexbot.cli.demo.stage import Stage
from malexbot.cli.demo.telling import Teller
from malexbot.errors import MalexbotError
from malexbot.runtime.deadline import Deadline

# Long enough to say something into; systemd waits for five seconds.
DOWN_S = 3.0
SHUT_S = 5.0
# So many times in a row it may die before it listens.
_MOST_FALLS = 3


class Attendant:
    """Does what systemd would do, and tells a person of it."""

    def __init__(self, stage: Stage, teller: Teller) -> None:
        self._stage = stage
        self._teller = teller
        self._was_listening = True
        self._falls = 0
        self._start_at: Deadline | None = None
        self._open_at: Deadline | None = None
        self._stays_down = False

    def look(self) -> None:
        """Tell what has changed, and do what is due."""
        if self._open_at and self._open_at.is_over:
            self._open_at = None
            self._stage.open_the_door()
        if self._start_at:
            if self._start_at.is_over:
                self._start_at = None
                self._stage.start_daemon()
        elif not self._stage.is_down:
            self._look_at_the_line()
        elif not self._stays_down:
            self._mourn()
        elif self._was_listening:
            self._lay_out()

    def kill(self, *, for_long: bool = False) -> None:
        """For long: only `start` brings it back."""
        if not self._stage.is_down:
            self._stays_down = for_long
            self._stage.daemon.signal(signal.SIGKILL)

    def start(self) -> None:
        """Bring it back now."""
        if self._stage.is_down:
            self._stays_down = False
            self._start_at = Deadline(0)

    def cut(self) -> None:
        self._stage.shut_the_door()
        self._open_at = Deadline(SHUT_S)

    def _mourn(self) -> None:
        self._falls += 1
        code = self._stage.daemon.exit_code or 0
        if self._falls > _MOST_FALLS:
            raise MalexbotError(
                f"malexbot dies again and again\n{self._stage.last_words()}"
            )
        how = f"was killed (signal {-code})" if code < 0 else f"ended (code {code})"
        self._was_listening = False
        self._start_at = Deadline(DOWN_S)
        self._teller.note(
            f"malexbot {how}; in {DOWN_S:.0f} s it is started again", "red"
        )

    def _lay_out(self) -> None:
        self._was_listening = False
        self._teller.note(
            "malexbot was killed (signal 9); /start starts it again", "red"
        )

    def _look_at_the_line(self) -> None:
        was, self._was_listening = self._was_listening, self._stage.is_listening
        if was and not self._was_listening:
            self._teller.note("malexbot's line to Mattermost is cut", "red")
        elif self._was_listening and not was:
            self._falls = 0
            self._teller.note(f"malexbot listens (process {self._stage.daemon.pid})")
