"""The life of one daemon: whose turn it is, signals, reload, and the end."""

from __future__ import annotations

import gc
import logging
import signal
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from malexbot import __version__
from malexbot.app import Compose, Composition
from malexbot.config.load import load
from malexbot.config.model import Config
from malexbot.config.plugins import Failure
from malexbot.config.reload import merge
from malexbot.errors import EXIT_FAILED, MalexbotError
from malexbot.pipe import Parts
from malexbot.plugins.loader import plug
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.health import Health
from malexbot.runtime.heart import Heart
from malexbot.runtime.logs import Logs
from malexbot.runtime.signals import Signals
from malexbot.runtime.stacks import dump
from malexbot.runtime.supervisor import Supervisor
from malexbot.runtime.systemd import Notifier
from malexbot.runtime.watchdog import Watchdog
from malexbot.storage.duty import Active, Duty, Outage, Standby, Turn
from malexbot.storage.open import open_database

log = logging.getLogger(__name__)

# How often the main thread looks around when nothing comes in.
TURN_S = 0.5
# What closing the database may take after the drain, an embedded one included.
CLOSE_S = 15.0
# A standby's writes are refused anyhow: nothing is worth a longer wait.
STEP_DOWN_S = 10.0


@dataclass(frozen=True, slots=True)
class Fatal:
    """A part without which the daemon is none has failed."""

    name: str
    error: BaseException | None

    def __str__(self) -> str:
        return f"{self.name}: {self.error or 'ended by itself'}"

    @property
    def exit_code(self) -> int:
        if isinstance(self.error, MalexbotError):
            return self.error.exit_code
        return EXIT_FAILED


# What the start has made stays for ever, and the events that pass are no garbage that
# goes in circles: looked for as often as usual, it takes a sixth of the time.
OBJECTS_AT_ONCE = 20_000

Message = signal.Signals | Turn | Fatal


class Daemon:
    """One run of `malexbot run`; the main thread lives in `run`."""

    def __init__(
        self,
        *,
        config_file: Path,
        config: Config,
        logs: Logs,
        notifier: Notifier,
        compose: Compose,
    ) -> None:
        self._config_file = config_file
        self._config = config
        self._logs = logs
        self._notifier = notifier
        self._compose = compose
        self._health = Health(logs.mask)
        self._inbox: SimpleQueue[Message] = SimpleQueue()
        self._postponed: deque[Message] = deque()
        self._signals = Signals(self._inbox.put)
        self._ground = Supervisor(on_fatal=self._fail, health=self._health)
        self._active = Supervisor(on_fatal=self._fail, health=self._health)
        self._watchdog = Watchdog(notifier, self._hearts)
        self._composition: Composition | None = None
        self._turn: Active | None = None
        self._stopping: Deadline | None = None
        self._exit_code: int | None = None
        self._is_ready = False
        self._shown = ""

    def run(self) -> int:
        """Work until a signal or a fatal failure; returns the exit code."""
        log.info("malexbot %s starts with %s", __version__, self._config_file)
        self._health.tell("daemon", "opening the database", is_ready=False)
        for failure in self._config.plugged.failures:
            self._health.tell(_part(failure), f"off: {failure.reason}", is_ready=True)
        self._show()
        _rest_the_collector()
        self._signals.start()
        self._ground.start(
            Duty(
                open_database=lambda: open_database(self._config),
                tell=self._inbox.put,
            )
        )
        try:
            while self._exit_code is None:
                self._look(TURN_S)
        except Exception:
            log.critical("the main thread failed", exc_info=True)
            self._exit_code = EXIT_FAILED
        self._shut_down()
        return self._exit_code

    # What comes in, and what is done about it.

    def _look(self, seconds: float) -> None:
        """Take one message if there is one, and do what is due anyhow."""
        if message := self._next(seconds):
            self._handle(message)
        self._watchdog.turn()
        self._show()

    def _next(self, seconds: float) -> Message | None:
        if self._postponed and not self._stopping:
            return self._postponed.popleft()
        try:
            return self._inbox.get(block=seconds > 0, timeout=seconds or None)
        except Empty:
            return None

    def _handle(self, message: Message) -> None:
        match message:
            case signal.SIGTERM | signal.SIGINT:
                self._end(message)
            case signal.SIGUSR1:
                log.warning("SIGUSR1: the threads are at\n%s", dump())
            case _ if self._stopping:
                self._postponed.append(message)
            case signal.SIGHUP:
                self._reload()
            case Fatal():
                self._give_up(message)
            case Active() | Standby() | Outage():
                self._take(message)

    def _end(self, number: signal.Signals) -> None:
        if self._exit_code is None:
            self._exit_code = 0
        elif self._stopping:
            log.warning("%s again: what is under way is not waited for", number.name)
            self._stopping.end_now()

    def _fail(self, name: str, error: BaseException | None) -> None:
        self._inbox.put(Fatal(name, error))

    def _give_up(self, fatal: Fatal) -> None:
        """With 78 nobody starts us again: parts ask for it only before they work."""
        log.critical("%s", fatal)
        self._exit_code = fatal.exit_code

    # Whose turn it is.

    def _take(self, turn: Turn) -> None:
        self._health.tell("daemon", str(turn), is_ready=isinstance(turn, Active))
        match turn:
            case Active():
                self._work(turn)
            case Standby() if self._turn is not None:
                log.warning("stepping down: %s", turn.holder)
                self._rest(Deadline(STEP_DOWN_S))
        if not self._is_ready:
            self._is_ready = True
            self._notifier.ready(self._status())

    def _work(self, turn: Active) -> None:
        """Go on after an outage; start afresh if what we know may not hold any more."""
        before, self._turn = self._turn, turn
        if before is not None:
            if not (reason := turn.breaks_with(before)):
                return
            log.warning("%s: starting afresh", reason)
            self._rest(Deadline(STEP_DOWN_S))
            self._turn = turn
        parts = Parts(
            self._config,
            turn.database,
            turn.leadership,
            self._health,
            is_start=not self._is_ready,
        )
        try:
            self._composition = self._compose(parts)
        except MalexbotError as error:
            return self._give_up(Fatal("settings", error))
        for service in self._composition.services:
            self._active.start(service)

    def _rest(self, deadline: Deadline) -> None:
        self._turn = self._composition = None
        self._leave(self._active, deadline)

    def _shut_down(self) -> None:
        """Drain under one deadline, then close what the drain stood on."""
        deadline = Deadline(self._config.drain_timeout)
        log.info("stopping; what is under way has %.0f s", deadline.left_s)
        self._notifier.stopping(f"draining, {deadline.left_s:.0f} s at most")
        self._leave(self._active, deadline)
        self._leave(self._ground, Deadline(CLOSE_S))
        log.info("stopped")

    def _leave(self, supervisor: Supervisor, deadline: Deadline) -> None:
        self._stopping = deadline
        left = supervisor.stop(deadline, turn=lambda: self._look(0))
        self._stopping = None
        if left:
            log.warning("did not end in time and is left behind: %s", ", ".join(left))

    # Settings, and what is shown.

    def _reload(self) -> None:
        """Take over the file's settings, all or none."""
        self._notifier.reloading()
        try:
            self._adopt(load(self._config_file, plug=plug))
        except MalexbotError as error:
            log.error("reload refused, the old settings stay: %s", error)
            self._health.tell("reload", "refused, see the log", is_ready=True)
        except Exception:
            log.error("reload failed, the old settings stay", exc_info=True)
            self._health.tell("reload", "failed, see the log", is_ready=True)
        else:
            self._health.forget("reload")
        self._notifier.ready(self._status())

    def _adopt(self, fresh: Config) -> None:
        """What can fail is built first; then the new settings count."""
        config, changed, late = merge(self._config, fresh)
        adopt = self._composition.prepare(config) if self._composition else None
        self._logs.set_up(fresh)
        for failure in self._config.plugged.failures:
            self._health.forget(_part(failure))
        self._config = config
        if adopt:
            adopt()
        log.info("reloaded; changed: %s", ", ".join(changed) or "nothing")
        if late:
            log.warning("needs a restart to take effect: %s", ", ".join(late))

    def _hearts(self) -> list[tuple[Thread, Heart]]:
        return [*self._ground.hearts(), *self._active.hearts()]

    def _status(self) -> str:
        return self._health.line()

    def _show(self) -> None:
        if self._stopping is None and self._shown != (status := self._status()):
            self._shown = status
            self._notifier.status(status)


def _part(failure: Failure) -> str:
    """What a plugin is called among the parts that tell how they are."""
    return f"plugin {failure.short_name}"


def _rest_the_collector() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_AT_ONCE)
