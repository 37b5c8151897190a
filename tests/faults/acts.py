"""How each thing of the plan is made to go wrong, and what ends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, SIGHUP, SIGKILL, SIGSTOP, SIGTERM
from subprocess import TimeoutExpired

import yaml

from malexbot.sandbox.daemon import DaemonProcess
from malexbot.sandbox.orders import Moment
from malexbot.sandbox.refusals import Refusal
from tests.crash.proxy import Strike
from tests.crash.traffic import KEEP
from tests.faults.ground import END_S, Ground
from tests.faults.plan import Planned

# What begins an act, and returns what ends it.
Act = Callable[[Ground, Planned], Callable[[], object]]

BAD_CONFIG = "mattermost:\n  http_host: [\n"
REFUSED = "reload refused"
DYING_S = 0.3
_CHUNK = bytes(1 << 16)


def _nothing() -> None:
    """It ended by itself."""


def _ready(ground: Ground) -> DaemonProcess:
    """A younger one does not know the signals yet; systemd sends none before."""
    daemon = ground.daemon
    daemon.wait_until(lambda: bool(daemon.notices("READY")), END_S)
    return daemon


# The daemon.


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


def _kill_at_commit(moment: Moment) -> Act:
    def begin(ground: Ground, planned: Planned) -> Callable[[], object]:
        def kill() -> None:
            ground.daemon.signal(SIGKILL)

        ground.line.strike(Strike(planned.amount, moment, kill, "^COPY |sending_at"))

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


# The database, its line and its disk.


def _kill_database(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.postgres.signal(SIGKILL)
    ground.postgres.wait_dead()
    return ground.postgres.start


def _end_database(ground: Ground, planned: Planned) -> Callable[[], object]:
    """It takes nobody new and waits for who is there; in the end it does not."""
    ground.postgres.signal(SIGTERM)

    def end() -> None:
        ground.postgres.stop()
        ground.postgres.start()

    return end


def _freeze_database(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.postgres.signal_all(SIGSTOP)
    return lambda: ground.postgres.signal_all(SIGCONT)


def _cut_database(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.line.cut()
    return _nothing


def _refuse_database(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.line.refuse()
    ground.line.cut()
    return ground.line.heal


def _hold_database(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.line.hold()
    return ground.line.heal


def _fill_database(ground: Ground, planned: Planned) -> Callable[[], object]:
    """The server may give up for want of space; then it is started again."""
    ballast = _fill(ground.database_disk)

    def end() -> None:
        ballast.unlink()
        ground.postgres.start()

    return end


def _fill_state(ground: Ground, planned: Planned) -> Callable[[], object]:
    return _fill(ground.state_disk).unlink


def _fill(disk: Path) -> Path:
    """To the last byte."""
    assert disk.is_mount(), f"{disk} is no disk of its own"
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(_CHUNK):
            pass
    return ballast


# The server.


def _server(order: str, *values: object, **named: object) -> Act:
    """An order to the sandbox's faults; healed in the end."""

    def begin(ground: Ground, planned: Planned) -> Callable[[], object]:
        getattr(ground.server.faults, order)(*values, **named)
        return ground.server.faults.heal

    return begin


def _no_answer(ground: Ground, planned: Planned) -> Callable[[], object]:
    """Saved or not: who sent it cannot know."""
    moment: Moment = "after" if planned.amount % 2 else "before"
    ground.server.faults.strike(planned.amount, moment, "reset")
    return ground.server.faults.heal


def _mangle(ground: Ground, planned: Planned) -> Callable[[], object]:
    faults, bot = ground.server.faults, ground.town.bot
    faults.duplicate_frames(planned.amount, user_id=bot)
    faults.swap_frames(user_id=bot)
    faults.drop_frames(user_id=bot)
    return faults.heal


def _restart_server(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.server.restart()
    return _nothing


def _kill_server(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.server.kill()
    return ground.server.start


def _step_clock(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.server.step(planned.amount * 1000)
    return _nothing


def _commit_late(ground: Ground, planned: Planned) -> Callable[[], object]:
    """Each appears among what was said some seconds ago."""
    scene, town, now = ground.server.scene, ground.town, ground.server.clock.now_ms()
    for number in range(planned.amount):
        text = f"{KEEP} committed late {planned.at_s:.3f} {number}"
        at = now - 1000 * (number % 20 + 1)
        with suppress(Refusal):
            scene.post(town.channel, town.bob, text, create_at=at)
    return _nothing


def _flood(ground: Ground, planned: Planned) -> Callable[[], object]:
    """More than one page shows, in each channel."""
    scene, town = ground.server.scene, ground.town
    texts = [f"{KEEP} flood {planned.at_s:.3f} {n}" for n in range(planned.amount)]
    for channel in (town.channel, town.second, town.private):
        scene.post_many(channel, town.alice, texts)
    return _nothing


ACTS: Mapping[str, Act] = {
    "daemon: SIGKILL": _kill,
    "daemon: SIGTERM": _terminate,
    "daemon: SIGSTOP": _stand_still,
    "daemon: two at once": _two_at_once,
    "daemon: SIGHUP, a good config": _good_config,
    "daemon: SIGHUP, a bad config": _bad_config,
    "daemon: killed before a COMMIT": _kill_at_commit("before"),
    "daemon: killed after a COMMIT": _kill_at_commit("after"),
    "daemon: killed before a POST": _kill_at_post("before"),
    "daemon: killed after a POST": _kill_at_post("after"),
    "database: SIGKILL": _kill_database,
    "database: SIGTERM": _end_database,
    "database: SIGSTOP": _freeze_database,
    "database: line cut": _cut_database,
    "database: line refused": _refuse_database,
    "database: line half open": _hold_database,
    "disk full: database": _fill_database,
    "disk full: state directory": _fill_state,
    "server: line cut": _server("cut"),
    "server: half open": _server("half_open"),
    "server: deaf": _server("deaf"),
    "server: slow": _server("slow", latency_s=0.5, chunk=4096, gap_s=0.02),
    "server: 429": _server("fail", 429, every=2),
    "server: 5xx": _server("fail", 502, every=2, is_html=True),
    "server: no answer to a POST": _no_answer,
    "server: frames doubled, lost, swapped": _mangle,
    "server: restart": _restart_server,
    "server: SIGKILL": _kill_server,
    "server: clock step": _step_clock,
    "people: late commits": _commit_late,
    "people: a flood": _flood,
}
