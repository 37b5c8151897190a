"""What is done to the daemon: signals, settings, kills at a chosen moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from signal import SIGCONT, SIGHUP, SIGKILL, SIGSTOP, SIGTERM
from subprocess import TimeoutExpired

import yaml

from malexbot.sandbox.daemon import DaemonProcess
from malexbot.sandbox.orders import Moment
from tests.crash.strikes import Strike
from tests.faults.acts import Act, nothing
from tests.faults.ground import END_S, Ground
from tests.faults.plan import Planned

BAD_CONFIG = "mattermost:\n  http_host: [\n"
REFUSED = "reload refused"
DYING_S = 0.3
HOUR_S = 3600


def _ready(ground: Ground) -> DaemonProcess:
    """A younger one does not know the signals yet; systemd sends none before."""
    daemon = ground.daemon
    daemon.wait_until(lambda: bool(daemon.notices("READY")), END_S)
    return daemon


def _kill(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.daemon.signal(SIGKILL)
    ground.daemon.wait(END_S)
    return ground.start_daemon


def _terminate(ground: Ground, planned: Planned) -> Callable[[], object]:
    daemon = _ready(ground)
    daemon.signal(SIGTERM)

    def end() -> None:
        code = daemon.wait(END_S)
        assert code == 0, f"SIGTERM: exit code {code}"
        ground.start_daemon()

    return end


def _stand_still(ground: Ground, planned: Planned) -> Callable[[], object]:
    daemon = ground.daemon
    daemon.signal(SIGSTOP)
    return lambda: daemon.signal(SIGCONT)


def _two_at_once(ground: Ground, planned: Planned) -> Callable[[], object]:
    """The second one goes on alone in the end."""
    ground.start_daemon()
    return ground.kill_past


def _step_daemons_clock(ground: Ground, planned: Planned) -> Callable[[], object]:
    """Ahead of the server by an hour at the most, or behind it."""
    ground.daemons_clock.write_text(str(planned.amount - HOUR_S))
    return nothing


def _good_config(ground: Ground, planned: Planned) -> Callable[[], object]:
    workers = {"answers_per_minute": 1000 - planned.amount}
    ground.write_config(yaml.safe_dump({**ground.config, "workers": workers}))
    _ready(ground).signal(SIGHUP)
    return lambda: _put_back(ground)


def _bad_config(ground: Ground, planned: Planned) -> Callable[[], object]:
    daemon = _ready(ground)
    before = daemon.log.count(REFUSED)
    ground.write_config(BAD_CONFIG)
    daemon.signal(SIGHUP)

    def end() -> None:
        daemon.wait_until(lambda: daemon.log.count(REFUSED) > before, END_S)
        _put_back(ground)

    return end


def _put_back(ground: Ground) -> None:
    ground.write_config(yaml.safe_dump(ground.config))
    ground.daemon.signal(SIGHUP)


def kill_at_commit(moment: Moment, wrote: str = "^COPY |sending_at") -> Act:
    """At one of those by which that was written, a regular expression."""

    def begin(ground: Ground, planned: Planned) -> Callable[[], object]:
        def kill() -> None:
            ground.daemon.signal(SIGKILL)

        ground.line.strike(Strike(planned.amount, moment, kill, wrote))

        def end() -> None:
            ground.line.heal()
            _start_if_dead(ground)

        return end

    return begin


def _kill_at_post(moment: Moment) -> Act:
    def begin(ground: Ground, planned: Planned) -> Callable[[], object]:
        ground.server.faults.strike(
            planned.amount, moment, "kill", pid=ground.daemon.pid
        )

        def end() -> None:
            ground.server.faults.heal()
            _start_if_dead(ground)

        return end

    return begin


def _start_if_dead(ground: Ground) -> None:
    """A kill of the last moment is waited for."""
    with suppress(TimeoutExpired):
        code = ground.daemon.wait(DYING_S)
        assert code == -SIGKILL, f"exit code {code}"
        ground.start_daemon()


ACTS: Mapping[str, Act] = {
    "daemon: SIGKILL": _kill,
    "daemon: SIGTERM": _terminate,
    "daemon: SIGSTOP": _stand_still,
    "daemon: two at once": _two_at_once,
    "daemon: clock step": _step_daemons_clock,
    "daemon: SIGHUP, a good config": _good_config,
    "daemon: SIGHUP, a bad config": _bad_config,
    "daemon: killed before a COMMIT": kill_at_commit("before"),
    "daemon: killed after a COMMIT": kill_at_commit("after"),
    "daemon: killed before a POST": _kill_at_post("before"),
    "daemon: killed after a POST": _kill_at_post("after"),
}
