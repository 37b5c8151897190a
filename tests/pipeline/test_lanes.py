from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from malexbot.errors import MalexbotError, Permanent, Transient
from malexbot.pipeline import lanes as module
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.lanes import MOST_HUNG, Lanes
from malexbot.pipeline.runner import Runner
from malexbot.pipeline.runs import RUN
from malexbot.pipeline.verdicts import Done
from malexbot.ports import Effect, Job
from malexbot.runtime.health import Health
from malexbot.runtime.heart import Heart
from tests.support.events import posted
from tests.support.fakes import Failing
from tests.support.queue import MemoryJobs
from tests.support.threads import PATIENCE_S, Running, eventually

Handle = Callable[[Job, Hold], Done]


class World:
    """Lanes whose handler is a function."""

    def __init__(
        self, handle: Handle, *, threads: int = 4, time_out_s: float = 60
    ) -> None:
        self.fail = Failing()
        self.jobs = MemoryJobs(time.monotonic, self.fail)
        self.health = Health()
        self.lanes = Lanes(
            jobs=self.jobs,
            runner=Runner(jobs=self.jobs, handlers={RUN: handle, "next": handle}),
            health=self.health,
            threads=threads,
            time_out_s=time_out_s,
        )
        self.lanes._backoff._wait = lambda state: 0.001  # type: ignore[assignment]

    def offer(self, *names: str, channel: str = "") -> None:
        """Events, each in a channel of its own name if none is given."""
        for name in names:
            self.jobs.offer(posted(name, channel_id=channel or name), "any")

    def is_done(self, count: int) -> bool:
        return len(self.jobs.of("done")) == count


class Gate:
    """A handler that is held until it is let through."""

    def __init__(self) -> None:
        self.inside = threading.Semaphore(0)
        self.open = threading.Event()
        self.handled: list[str] = []

    def __call__(self, job: Job, hold: Hold) -> Done:
        self.inside.release()
        assert self.open.wait(PATIENCE_S)
        assert job.event is not None
        self.handled.append(job.event.event_id)
        return Done()

    def wait_for(self, count: int) -> None:
        """So many handlers are inside."""
        for _ in range(count):
            assert self.inside.acquire(timeout=PATIENCE_S)


def fine(job: Job, hold: Hold) -> Done:
    return Done()


@pytest.fixture(autouse=True)
def long_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is found because it is looked for now and then."""
    monkeypatch.setattr(module, "LONGEST_POLL_S", 600.0)


def test_what_waits_at_the_start_is_done() -> None:
    world = World(fine)
    world.offer("a", "b", "c")
    with Running(world.lanes):
        eventually(lambda: world.is_done(3))
    assert world.health.is_ready


def test_what_has_waited_for_too_long_is_not_done() -> None:
    world = World(fine)
    world.offer("a", "b")
    world.jobs.rows[1].expires_at = 0.0
    with Running(world.lanes):
        eventually(lambda: world.is_done(1))
    assert world.jobs.rows[1].state == "expired"


def test_a_wake_is_heard_at_once() -> None:
    world = World(fine)
    with Running(world.lanes):
        for n in range(20):
            world.offer(f"p{n}")
            world.lanes.wake()
            eventually(lambda n=n: world.is_done(n + 1))


def test_what_a_handler_leaves_to_do_is_done_at_once() -> None:
    def handle(job: Job, hold: Hold) -> Done:
        return Done([Effect("next", "x", {})] if job.kind == RUN else [])

    world = World(handle)
    world.offer("a")
    with Running(world.lanes):
        eventually(lambda: world.is_done(2))


def test_who_ends_a_job_goes_on_with_what_it_said() -> None:
    at_it: list[tuple[bool, int | None]] = []

    def handle(job: Job, hold: Hold) -> Done:
        at_it.append((job.is_noted, threading.current_thread().ident))
        said = [Effect("next", "x", {}), Effect("next", "x", {})]
        return Done(said if job.kind == RUN else [])

    world = World(handle)
    world.offer("a")
    with Running(world.lanes):
        eventually(lambda: world.is_done(3))
    assert [is_noted for is_noted, _ in at_it] == [False, True, False]
    assert at_it[0][1] == at_it[1][1]


def test_what_goes_on_is_given_up_when_it_takes_too_long() -> None:
    gate = Gate()

    def handle(job: Job, hold: Hold) -> Done:
        if job.kind == RUN:
            return Done([Effect("next", "x", {})])
        return gate(job, hold)

    world = World(handle, time_out_s=0.05)
    world.offer("a")
    with Running(world.lanes):
        eventually(lambda: world.lanes.overruns == 1)
        gate.open.set()
    assert world.jobs.rows[2].state != "done"


def test_many_lanes_go_on_at_once_and_seats_bound_them() -> None:
    gate = Gate()
    world = World(gate, threads=3)
    world.offer("a", "b", "c", "d", "e")
    with Running(world.lanes):
        gate.wait_for(3)
        assert world.lanes.busy == 3
        assert len(world.jobs.of("leased")) == 3
        gate.open.set()
        eventually(lambda: world.is_done(5))


def test_what_is_begun_elsewhere_takes_a_seat_too() -> None:
    gate = Gate()
    world = World(gate, threads=3)
    with Running(world.lanes):
        eventually(lambda: world.health.parts())
        holds = world.lanes.take_seats(2)
        world.offer("a", "b", "c", "d")
        first, *_ = world.jobs.claim(kinds=[RUN], limit=1, lease_s=90)
        world.lanes.begin([first], holds)
        world.lanes.wake(["lane"])
        gate.wait_for(3)
        assert world.lanes.busy == 3
        assert world.lanes.take_seats(9) == []
        gate.open.set()
        eventually(lambda: world.is_done(4))
        # Who claims holds all seats that are free for a moment.
        taken: list[Hold] = []

        def all_are_free() -> bool:
            taken.extend(world.lanes.take_seats(9))
            return len(taken) == 3

        eventually(all_are_free)
        world.lanes.begin([], taken)


def test_while_others_wait_for_a_seat_none_is_given_away() -> None:
    gate = Gate()
    world = World(gate, threads=1)
    world.offer("a", "b")
    with Running(world.lanes):
        gate.wait_for(1)
        eventually(lambda: world.lanes._is_crowded)
        with world.lanes._signal:
            world.lanes._free += 1
            assert world.lanes.take_seats(1) == []
            world.lanes._free -= 1
        gate.open.set()
        eventually(lambda: world.is_done(2))


def test_seats_that_were_not_needed_are_told_of() -> None:
    world = World(fine, threads=1)
    with Running(world.lanes):
        eventually(lambda: world.health.parts())
        holds = world.lanes.take_seats(1)
        world.offer("a")
        world.lanes.wake()
        eventually(lambda: world.lanes._is_crowded)
        world.lanes.begin([], holds)
        eventually(lambda: world.is_done(1))


def test_the_time_of_a_handler_begins_with_it() -> None:
    world = World(fine)
    with Running(world.lanes):
        eventually(lambda: world.health.parts())
        (hold,) = world.lanes.take_seats(1)
        before = hold.time_out
        world.offer("a")
        (job,) = world.jobs.claim(kinds=[RUN], limit=1, lease_s=90)
        world.lanes.begin([job], [hold])
        assert hold.time_out is not before
        eventually(lambda: world.is_done(1))


def test_who_ends_has_no_seat_to_give() -> None:
    world = World(fine)
    with Running(world.lanes) as running:
        eventually(lambda: world.health.parts())
        running.end()
        assert world.lanes.take_seats(9) == []


def test_an_end_asks_for_jobs_only_where_some_may_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(fine)
    claim, claims = world.jobs.claim, list[int]()

    def count(**terms: Any) -> list[Job]:
        claimed = claim(**terms)
        claims.append(len(claimed))
        return claimed

    monkeypatch.setattr(world.jobs, "claim", count)
    with Running(world.lanes):
        eventually(lambda: claims == [0])
        world.offer("a1", "a2", channel="a")
        world.offer("b1", "b2", channel="b")
        holds = world.lanes.take_seats(2)
        world.lanes.begin(claim(kinds=[RUN], limit=2, lease_s=90), holds)
        eventually(lambda: world.is_done(2))
        assert claims == [0]
        world.lanes.wake(["mattermost:a:any", "mattermost:b:any"])
        eventually(lambda: world.is_done(4))
        assert claims[:2] == [0, 2]


def test_a_seat_that_becomes_free_during_a_claim_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gates = {name: threading.Event() for name in ("a", "b", "c")}

    def handle(job: Job, hold: Hold) -> Done:
        assert job.event is not None
        assert gates[job.event.event_id].wait(PATIENCE_S)
        return Done()

    world = World(handle, threads=2)
    claim, has_ended = world.jobs.claim, threading.Event()

    def slow(**terms: Any) -> list[Job]:
        claimed = claim(**terms)
        if [job.event and job.event.event_id for job in claimed] == ["b"]:
            gates["a"].set()
            eventually(lambda: world.is_done(1) and world.lanes._free)
            has_ended.set()
        return claimed

    with Running(world.lanes):
        eventually(lambda: world.health.parts())
        world.offer("a")
        holds = world.lanes.take_seats(1)
        world.lanes.begin(claim(kinds=[RUN], limit=1, lease_s=90), holds)
        monkeypatch.setattr(world.jobs, "claim", slow)
        world.offer("b", "c")
        world.lanes.wake()
        assert has_ended.wait(PATIENCE_S)
        gates["c"].set()
        eventually(lambda: world.is_done(2))
        gates["b"].set()
        eventually(lambda: world.is_done(3))


def test_within_a_lane_the_order_is_kept() -> None:
    handled: list[str] = []

    def handle(job: Job, hold: Hold) -> Done:
        assert job.event is not None
        handled.append(job.event.event_id)
        return Done()

    world = World(handle, threads=8)
    names = [f"p{n}" for n in range(40)]
    for name in names:
        world.offer(name, channel="c1" if int(name[1:]) % 2 else "c2")
    with Running(world.lanes):
        eventually(lambda: world.is_done(40))
    assert [n for n in handled if int(n[1:]) % 2] == names[1::2]
    assert [n for n in handled if not int(n[1:]) % 2] == names[::2]


def test_a_retry_is_taken_up_when_it_is_due() -> None:
    tries: list[int] = []

    def handle(job: Job, hold: Hold) -> Done:
        tries.append(job.attempts)
        if job.attempts < 3:
            raise Transient("not yet")
        return Done()

    world = World(handle)
    world.offer("a")
    with Running(world.lanes):
        eventually(lambda: world.is_done(1))
    assert tries == [1, 2, 3]


@pytest.mark.parametrize("door", ["claim", "expire"])
def test_an_outage_of_the_queue_is_waited_out_and_shown(door: str) -> None:
    world = World(fine)
    world.fail.always_at(door, "the database is away")
    world.offer("a")
    with Running(world.lanes):
        eventually(lambda: not world.health.is_ready)
        assert "no jobs: the database is away" in world.health.line()
        world.fail.heal(door)
        eventually(lambda: world.is_done(1))
        eventually(lambda: world.health.is_ready)


def test_a_handler_that_overruns_is_revoked_and_its_seat_is_free_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    release, revoked = threading.Event(), threading.Event()

    def handle(job: Job, hold: Hold) -> Done:
        assert job.event is not None
        if job.event.event_id == "slow":
            assert release.wait(PATIENCE_S)
            try:
                hold.check()
            except MalexbotError:
                revoked.set()
                raise
        return Done([Effect("none", "x", {})])

    world = World(handle, threads=1, time_out_s=0.05)
    world.offer("slow", "quick")
    with Running(world.lanes):
        eventually(lambda: len(world.jobs.of("done")) == 1)
        eventually(lambda: world.jobs.rows[1].failures >= 1)
        release.set()
        assert revoked.wait(PATIENCE_S)
    assert world.lanes.overruns >= 1
    assert world.jobs.rows[1].reason == "took longer than 0.05 s"
    assert "takes longer than" in caplog.text
    assert "release.wait" in caplog.text
    assert world.jobs.rows[1].state == "ready"


def test_a_thread_that_comes_back_counts_no_longer() -> None:
    gate = Gate()
    world = World(gate, threads=1, time_out_s=0.02)
    with Running(world.lanes):
        for n in range(MOST_HUNG + 3):
            gate.open.clear()
            world.offer(f"p{n}")
            world.lanes.wake()
            gate.wait_for(1)
            eventually(lambda n=n: world.lanes.overruns > n)
            for row in world.jobs.of("ready"):
                row.state = "dropped"
            gate.open.set()
            eventually(lambda: not world.lanes._hung)


def test_five_threads_that_hang_end_the_daemon() -> None:
    gate = Gate()
    world = World(gate, threads=5, time_out_s=0.05)
    world.offer(*"abcde")
    with Running(world.lanes) as running:
        running.wait_for_the_end()
        gate.open.set()
        error, running.error = running.error, None
    assert isinstance(error, MalexbotError)
    assert "handlers hang" in str(error)
    assert world.lanes.is_vital


def test_a_job_that_cannot_be_ended_for_a_reason_of_ours_ends_the_daemon() -> None:
    world = World(fine)
    world.fail.at("finish", Permanent("no table jobs"))
    world.offer("a")
    running = Running(world.lanes)
    with pytest.raises(Permanent, match="no table"), running:
        running.wait_for_the_end()


def test_the_end_waits_for_what_was_begun_and_begins_nothing_else() -> None:
    gate = Gate()
    world = World(gate, threads=2)
    world.offer("a", "b", "c")
    with Running(world.lanes) as running:
        gate.wait_for(2)
        opener = threading.Timer(0.05, gate.open.set)
        opener.start()
        running.end()
        opener.join()
    assert world.is_done(2)
    assert len(world.jobs.of("ready")) == 1


def test_what_does_not_end_in_time_is_left_behind_and_void(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gate = Gate()
    world = World(gate)
    world.offer("a")
    with Running(world.lanes) as running:
        gate.wait_for(1)
        running.end(seconds=0.05)
    assert "job 1 is left behind" in caplog.text
    gate.open.set()
    eventually(lambda: gate.handled)
    assert world.jobs.rows[1].state == "leased"


def test_its_thread_rests_while_it_waits() -> None:
    world, heart = World(fine), Heart()
    running = Running(world.lanes)

    def work() -> None:
        heart.bind()
        world.lanes.run(running.stop)

    thread = threading.Thread(target=work)
    thread.start()
    eventually(lambda: heart.waits_for == "the next job")
    assert heart.silent_s() == 0
    running.stop.set()
    thread.join()


def test_what_a_claim_tells_is_as_old_as_the_question() -> None:
    claimed_at: list[float] = []
    asked_at: list[float] = []

    def note(door: str) -> None:
        if door == "claimed":
            claimed_at.append(time.monotonic())

    def handle(job: Job, hold: Hold) -> Done:
        asked_at.append(time.monotonic() - hold.age_s)
        return Done()

    world = World(handle)
    world.jobs.fail = note
    world.offer("a")
    with Running(world.lanes):
        eventually(lambda: world.is_done(1))
    assert asked_at[0] < claimed_at[0]


def test_with_nothing_to_do_nothing_is_asked_for() -> None:
    claims: list[str] = []
    world = World(fine)
    world.jobs.fail = lambda door: claims.append(door) if door == "claim" else None
    world.offer("a")
    with Running(world.lanes):
        eventually(lambda: world.is_done(1) and not world.lanes.busy)
        threading.Event().wait(0.05)
        assert len(claims) <= 3
