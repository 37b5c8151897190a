"""What is done to the database, to its line and to the disks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM

from tests.faults.acts import Act, nothing
from tests.faults.ground import Ground
from tests.faults.plan import Planned

_CHUNK = bytes(1 << 16)


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
    return nothing


def _refuse_database(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.line.refuse()
    ground.line.cut()
    return ground.line.heal


def _hold_database(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.line.hold()
    return ground.line.heal


def _slow_database(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.line.slow(planned.amount / 1000)
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


ACTS: Mapping[str, Act] = {
    "database: SIGKILL": _kill_database,
    "database: SIGTERM": _end_database,
    "database: SIGSTOP": _freeze_database,
    "database: line cut": _cut_database,
    "database: line refused": _refuse_database,
    "database: line half open": _hold_database,
    "database: line slow": _slow_database,
    "disk full: database": _fill_database,
    "disk full: state directory": _fill_state,
}
