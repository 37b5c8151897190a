from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

import pytest

from malexbot.errors import Permanent
from malexbot.runtime import supervisor as module
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop
from malexbot.runtime.supervisor import Supervisor
from tests.support.threads import eventually


class Part:
    """A service made of a function."""

    def __init__(
        self, name: str, run: Callable[[Stop], None], *, is_vital: bool = False
    ) -> None:
        self.name = name
        self.is_vital = is_vital
        self.run = run


def waiting(stop: Stop) -> None:
    stop.wait(60)


@pytest.fixture
def fatal() -> list[tuple[str, BaseException | None]]:
    return []


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def supervisor(
    fatal: list[tuple[str, BaseException | None]],
    health: Health,
    monkeypatch: pytest.MonkeyPatch,
) -> Supervisor:
    monkeypatch.setattr(module, "LEAST_WAIT_S", 0.0)
    monkeypatch.setattr(module.Backoff, "next_s", lambda self: 0.0)
    return Supervisor(
        on_fatal=lambda name, error: fatal.append((name, error)), health=health
    )


def test_services_end_in_reverse_order(supervisor: Supervisor) -> None:
    ended: list[str] = []
    for name in ("first", "second", "third"):

        def run(stop: Stop, name: str = name) -> None:
            stop.wait(60)
            ended.append(name)

        supervisor.start(Part(name, run))
    assert supervisor.stop(Deadline(10)) == []
    assert ended == ["third", "second", "first"]


def test_a_failing_service_is_run_again(
    supervisor: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    tries = []
    is_well = threading.Event()

    def run(stop: Stop) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise ValueError("no luck")
        is_well.set()
        stop.wait(60)

    supervisor.start(Part("unlucky", run))
    assert is_well.wait(10)
    supervisor.stop(Deadline(10))
    assert len(tries) == 3
    assert caplog.text.count("unlucky: no luck; it is tried again") == 1


def test_an_expected_failure_has_no_traceback_in_the_log(
    supervisor: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    is_well = threading.Event()
    errors = [Permanent("the port is taken")]

    def run(stop: Stop) -> None:
        if errors:
            raise errors.pop()
        is_well.set()
        stop.wait(60)

    supervisor.start(Part("web", run))
    assert is_well.wait(10)
    supervisor.stop(Deadline(10))
    assert "the port is taken" in caplog.text
    assert "Traceback" not in caplog.text


def test_a_service_that_just_returns_is_run_again(supervisor: Supervisor) -> None:
    runs = threading.Semaphore(0)
    supervisor.start(Part("brief", lambda stop: runs.release()))
    assert all(runs.acquire(timeout=10) for _ in range(3))
    supervisor.stop(Deadline(10))


def test_a_vital_service_that_fails_is_reported_and_not_run_again(
    supervisor: Supervisor, fatal: list[tuple[str, BaseException | None]]
) -> None:
    error = Permanent("no way on")

    def run(stop: Stop) -> None:
        raise error

    supervisor.start(Part("intake", run, is_vital=True))
    eventually(lambda: bool(fatal))
    assert fatal == [("intake", error)]
    assert supervisor.stop(Deadline(10)) == []


@pytest.mark.parametrize("is_vital", [True, False])
def test_a_service_that_leaves_by_sys_exit_has_failed_as_any_other(
    supervisor: Supervisor,
    fatal: list[tuple[str, BaseException | None]],
    is_vital: bool,
) -> None:
    runs = threading.Semaphore(0)

    def run(stop: Stop) -> None:
        runs.release()
        sys.exit("usage: bot [-h]")

    supervisor.start(Part("lanes", run, is_vital=is_vital))
    assert all(runs.acquire(timeout=10) for _ in range(1 if is_vital else 3))
    eventually(lambda: bool(fatal) or not is_vital)
    supervisor.stop(Deadline(10))
    assert [name for name, _ in fatal] == (["lanes"] if is_vital else [])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("is_vital", [True, False])
def test_a_thread_never_ends_without_a_word(
    supervisor: Supervisor,
    fatal: list[tuple[str, BaseException | None]],
    is_vital: bool,
) -> None:
    error = GeneratorExit()

    def run(stop: Stop) -> None:
        raise error

    supervisor.start(Part("socket", run, is_vital=is_vital))
    eventually(lambda: bool(fatal))
    supervisor.stop(Deadline(10))
    assert fatal == [("socket", error)]


def test_a_thread_that_hangs_is_left_behind_by_name(supervisor: Supervisor) -> None:
    release = threading.Event()
    supervisor.start(Part("good", waiting))
    supervisor.start(Part("stuck", lambda stop: bool(release.wait(60))))
    turns: list[int] = []
    left = supervisor.stop(Deadline(0.3), turn=lambda: turns.append(1))
    assert "stuck" in left
    assert turns
    release.set()


def test_who_waits_for_a_silent_server_keeps_no_time_from_those_who_drain(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HOLDS_UP_S", 0.1)
    drained, answered = threading.Event(), threading.Event()

    def drain(stop: Stop) -> None:
        stop.wait(60)
        if not stop.deadline.is_over:
            drained.set()
            answered.set()

    def listen(stop: Stop) -> None:
        answered.wait(60)

    supervisor.start(Part("lanes", drain, is_vital=True))
    supervisor.start(Part("silent", listen))
    assert supervisor.stop(Deadline(30)) == []
    assert drained.is_set()


def test_what_runs_drains_until_its_deadline(supervisor: Supervisor) -> None:
    drained: list[float] = []

    def run(stop: Stop) -> None:
        stop.wait(60)
        drained.append(stop.deadline.left_s)

    supervisor.start(Part("lanes", run))
    supervisor.stop(Deadline(10))
    assert 5 < drained[0] <= 10


def test_stopping_twice_or_before_the_start_is_fine(supervisor: Supervisor) -> None:
    assert supervisor.stop(Deadline(1)) == []
    supervisor.start(Part("a", waiting))
    assert supervisor.stop(Deadline(10)) == []
    assert supervisor.stop(Deadline(10)) == []
    assert list(supervisor.hearts()) == []


def test_threads_are_named_and_have_hearts(supervisor: Supervisor) -> None:
    supervisor.start(Part("socket", waiting))
    assert [thread.name for thread, _ in supervisor.hearts()] == ["socket"]
    supervisor.stop(Deadline(10))


def test_a_failing_service_is_seen_in_health_until_it_runs(
    supervisor: Supervisor, health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, str]] = []
    is_well = threading.Event()

    def run(stop: Stop) -> None:
        if not seen:
            raise Permanent("the port is taken")
        is_well.set()
        stop.wait(60)

    real = health.tell

    def tell(part: str, state: str, *, is_ready: bool) -> None:
        real(part, state, is_ready=is_ready)
        seen.append(health.parts())
        assert not is_ready

    monkeypatch.setattr(health, "tell", tell)
    supervisor.start(Part("web", run))
    assert is_well.wait(10)
    assert seen == [{"web": "the port is taken"}]
    assert health.is_ready
    real("web", "listens", is_ready=False)
    supervisor.stop(Deadline(10))
    assert health.parts() == {}


def test_a_service_that_fails_at_once_does_not_spin(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    class Impatient(Stop):
        def wait(self, seconds: float) -> bool:
            waits.append(seconds)
            return super().wait(0)

    monkeypatch.setattr(module, "LEAST_WAIT_S", 0.5)
    monkeypatch.setattr(module, "Stop", Impatient)
    runs = threading.Semaphore(0)
    supervisor.start(Part("brief", lambda stop: runs.release()))
    assert all(runs.acquire(timeout=10) for _ in range(3))
    supervisor.stop(Deadline(10))
    assert waits[:2] == [0.5, 0.5]


def test_a_deadline_that_is_ended_ends_the_wait_for_what_is_vital(
    supervisor: Supervisor,
) -> None:
    goes_on = threading.Event()
    supervisor.start(Part("lanes", lambda stop: goes_on.wait(60), is_vital=True))
    deadline = Deadline(60)
    began = time.monotonic()
    assert supervisor.stop(deadline, turn=deadline.end_now) == ["lanes"]
    assert time.monotonic() - began < 30
    goes_on.set()
