from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from malexbot.errors import Permanent, Transient
from malexbot.events import Event
from malexbot.pipeline.audience import Audience, Heard
from malexbot.pipeline.counters import MOST_UNKNOWN, Counters
from malexbot.pipeline.decider import Decider
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.intake import CROWD, Intake
from malexbot.pipeline.waiting import Waiting
from malexbot.ports import CaughtUp, Job, Occasion, Parcel, Processor, Reject
from malexbot.processors.save import Save
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.health import Health
from malexbot.runtime.heart import Heart
from malexbot.runtime.stop import Stop
from tests.support.events import BOT, NOW, happened, posted
from tests.support.fakes import Failing, Idle, MemoryJournal
from tests.support.queue import job
from tests.support.threads import PATIENCE_S, Running, eventually

MARK = CaughtUp("mattermost", "c1", "p1", NOW, 1)


class Eager(Processor):
    """Wants everything, and shows what it sees."""

    name = "eager"

    def __init__(self, journal: MemoryJournal) -> None:
        self.journal = journal
        self.seen: list[tuple[str, bool]] = []

    def keeps(self, event: Event) -> bool:
        if event.event_id == "stumble":
            raise ZeroDivisionError("over this one")
        return False

    def wants(self, event: Event, occasion: Occasion) -> bool:
        return True

    def look(self, event: Event) -> None:
        is_durable = event.event_id in self.journal.ids
        self.seen.append((event.event_id, is_durable))
        if event.event_id == "ugly":
            raise ZeroDivisionError("at this one")


class World:
    """An intake with all around it."""

    def __init__(self, *, most_events: int = 4000) -> None:
        self.fail = Failing()
        self.journal = MemoryJournal(fail=self.fail)
        self.eager = Eager(self.journal)
        self.health = Health()
        self.workers = Idle()
        self.decider = Decider(
            processors={"posted": [self.eager, Save()], "hello": [Save()]},
            audience=Audience(Heard(BOT, {"c1"})),
            server_now_ms=lambda: NOW + 250,
        )
        self.intake = Intake(
            journal=self.journal,
            decider=self.decider,
            workers=self.workers,
            health=self.health,
            counters=Counters(frozenset({"posted"})),
            waiting=Waiting(most_events=most_events),
        )
        self.intake._backoff._wait = lambda state: 0.001  # type: ignore[assignment]

    def written(self, count: int) -> bool:
        """Yes: so many events became durable in time."""
        return self.journal.wait_for(lambda j: len(j.ids) >= count, PATIENCE_S)


@pytest.fixture
def world() -> World:
    return World()


def test_what_waits_becomes_durable_in_one_transaction(world: World) -> None:
    for n in range(3):
        assert world.intake.offer(posted(f"p{n}"))
    assert world.intake.deliver([posted("b1")], [MARK], Running(world.intake).stop)
    with Running(world.intake):
        assert world.written(4)
    assert world.journal.ids == ["p0", "p1", "p2", "b1"]
    (batch,) = world.journal.batches
    assert [len(parcel.entries) for parcel in batch] == [3, 1]


def test_what_is_odd_in_a_batch_is_written_with_it(world: World) -> None:
    odd = Reject("vk", b"{", "no event")
    with Running(world.intake) as running:
        assert world.intake.deliver([posted("b1")], [MARK], running.stop, rejects=[odd])
        assert world.written(1)
    ((parcel,),) = world.journal.batches
    assert (parcel.rejects, parcel.marks) == ([odd], [MARK])


def test_a_page_and_its_marks_are_one_parcel(world: World) -> None:
    with Running(world.intake) as running:
        assert world.intake.offer(posted("p1"))
        assert world.intake.deliver([posted("b1"), posted("b2")], [MARK], running.stop)
        assert world.intake.offer(posted("p2"))
        assert world.written(4)
    parcels = [parcel for batch in world.journal.batches for parcel in batch]
    (marked,) = [parcel for parcel in parcels if parcel.marks]
    assert [entry.event.event_id for entry in marked.entries] == ["b1", "b2"]
    assert marked.marks == [MARK]


def test_marks_alone_are_written_too(world: World) -> None:
    with Running(world.intake) as running:
        assert world.intake.deliver([posted(channel_id="c9")], [MARK], running.stop)
    assert world.journal.marks == [MARK]
    assert world.journal.entries == []


def test_nobody_acts_before_it_is_durable(world: World) -> None:
    world.intake.offer(posted("p1"))
    with Running(world.intake):
        assert world.written(1)
    assert world.eager.seen == [("p1", True)]
    assert world.workers.woken == [["mattermost:c1:eager"]]


class Seated(Idle):
    """Workers with two seats."""

    def __init__(self) -> None:
        super().__init__()
        self.free, self.begun = 2, list[Job]()

    def take_seats(self, most: int) -> list[Hold]:
        taken = min(most, self.free)
        self.free -= taken
        return [Hold(lease_s=90, time_out_s=60) for _ in range(taken)]

    def begin(self, jobs: Sequence[Job], holds: Sequence[Hold]) -> None:
        self.free += len(holds) - len(jobs)
        self.begun += jobs


def test_jobs_are_begun_where_seats_are_free_and_the_rest_is_told() -> None:
    asked: list[tuple[int, float]] = []

    class Beginning(MemoryJournal):
        def write(
            self,
            parcels: Sequence[Parcel],
            *,
            seats: int = 0,
            lease_s: float = 0.0,
            is_behind: bool = False,
        ) -> list[Job]:
            asked.append((seats, lease_s))
            super().write(parcels)
            return [job(lane="mattermost:c1:eager")]

    world = World()
    world.intake._journal, world.intake._workers = Beginning(), Seated()
    for n in range(3):
        world.intake.offer(posted(f"p{n}"))
    with Running(world.intake):
        eventually(lambda: world.intake._workers.woken)  # type: ignore[attr-defined]
    workers = world.intake._workers
    assert isinstance(workers, Seated)
    assert asked == [(2, 90)]
    assert [job.lane for job in workers.begun] == ["mattermost:c1:eager"]
    assert workers.free == 1
    assert workers.woken == [["mattermost:c1:eager"]]


def test_a_crowd_is_left_to_the_queue(world: World) -> None:
    workers = world.intake._workers = Seated()
    for n in range(CROWD + 1):
        world.intake.offer(posted(f"p{n}"))
    with Running(world.intake):
        eventually(lambda: workers.woken)
    assert workers.begun == []


def test_seats_are_given_back_when_nothing_can_be_written(world: World) -> None:
    workers = world.intake._workers = Seated()
    world.fail.at("write", Transient("away"), Transient("away"))
    world.intake.offer(posted("p1"))
    with Running(world.intake):
        assert world.written(1)
        eventually(lambda: workers.woken)
    assert workers.free == 2


def test_without_jobs_nobody_is_woken(world: World) -> None:
    world.intake.offer(posted("own", user_id=BOT))
    with Running(world.intake):
        assert world.written(1)
    assert world.workers.woken == []


def test_an_outage_repeats_the_same_batch_whole(world: World) -> None:
    world.fail.at("write", *[Transient("the database is away")] * 3)
    world.intake.offer(posted("p1"))
    world.intake.offer(posted("p2"))
    with Running(world.intake):
        assert world.written(2)
    assert world.journal.ids == ["p1", "p2"]
    assert len(world.journal.batches) == 1
    assert world.intake.counters.failures == 3


def test_a_lost_answer_repeats_the_same_batch_whole(world: World) -> None:
    world.fail.at("written", Transient("the line broke"))
    world.intake.offer(posted("p1"))
    with Running(world.intake):
        assert world.journal.wait_for(lambda j: len(j.batches) == 2, PATIENCE_S)
    assert world.journal.batches[0] == world.journal.batches[1]
    assert world.eager.seen == [("p1", True)]
    assert world.intake.counters.events == 1


def test_in_an_outage_the_queue_fills_and_says_so() -> None:
    world = World(most_events=10)
    world.fail.always_at("write", "no disk space")
    with Running(world.intake) as running:
        taken = 0
        while world.intake.offer(posted(f"p{taken}")):
            taken += 1
        assert not world.intake.offer(posted("one more"))
        assert world.intake.counters.dropped == 2
        eventually(lambda: not world.health.is_ready)
        assert "cannot write: no disk space" in world.health.line()
        world.fail.heal("write")
        assert world.written(taken)
        assert running.error is None
    assert len(world.journal.ids) == taken
    assert world.health.is_ready


def test_an_outage_is_told_once_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    world.fail.at("write", *[Transient("away")] * 5)
    world.intake.offer(posted("p1"))
    with Running(world.intake):
        assert world.written(1)
    told = [r for r in caplog.records if "nothing can be written" in r.getMessage()]
    assert len(told) == 1


def test_a_failure_that_no_repeat_heals_ends_the_intake(world: World) -> None:
    world.fail.at("write", Permanent("no table posts"))
    world.intake.offer(posted("p1"))
    running = Running(world.intake)
    with pytest.raises(Permanent, match="no table"), running:
        running.wait_for_the_end()
    assert world.intake.is_vital


def test_the_end_drains_what_was_taken_in(world: World) -> None:
    for n in range(50):
        assert world.intake.offer(posted(f"p{n}"))
    running = Running(world.intake)
    running.stop.set(running.stop.deadline)
    with running:
        pass
    assert len(world.journal.ids) == 50


def test_what_is_durable_is_told_of_once_with_its_time(world: World) -> None:
    told: list[tuple[int, float]] = []
    world.intake._written = lambda parcels, took_s: told.append((len(parcels), took_s))
    world.fail.at("written", Transient("the answer is lost"))
    assert world.intake.offer(posted("p1"))
    with Running(world.intake):
        assert world.written(1)
        eventually(lambda: told)
    assert [count for count, _ in told] == [1] and told[0][1] > 0


def test_the_drain_ends_at_its_deadline(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.fail.always_at("write")
    assert world.intake.offer(posted("p1"))
    with Running(world.intake) as running:
        running.end(seconds=0.05)
    assert "no time to write" in caplog.text


def test_who_asks_waits_until_what_came_before_is_durable(world: World) -> None:
    written_then: list[int] = []
    with Running(world.intake):
        world.fail.at("write", Transient("the database is away"))
        assert world.intake.offer(posted("p1"))
        world.intake.settle(Stop())
        written_then.append(len(world.journal.entries))
    assert written_then == [1]


def test_who_waits_for_what_is_not_durable_wakes_at_the_stop(world: World) -> None:
    stop = Stop()
    assert world.intake.offer(posted("p1"))
    waiting = threading.Thread(target=world.intake.settle, args=(stop,))
    waiting.start()
    stop.set(Deadline(0))
    waiting.join(PATIENCE_S)
    assert not waiting.is_alive()


def test_what_is_no_event_is_kept_with_its_reason(world: World) -> None:
    assert world.intake.reject("mattermost", b"{broken", "not JSON")
    assert world.intake.offer(posted("p1"))
    with Running(world.intake):
        assert world.written(1)
    assert world.journal.rejects == [Reject("mattermost", b"{broken", "not JSON")]
    assert world.intake.counters.rejected == 1


def test_a_post_that_a_filter_stumbles_over_goes_to_the_rejects(
    world: World,
) -> None:
    assert world.intake.offer(posted("stumble", raw='{"bad": 1}'))
    assert world.intake.offer(posted("p1"))
    with Running(world.intake) as running:
        assert world.written(1)
        assert world.intake.deliver([posted("stumble")], [MARK], running.stop)
    first, second = world.journal.rejects
    assert first.raw == b'{"bad": 1}'
    assert "over this one" in first.reason
    assert second.source == "mattermost"
    assert world.journal.marks == [MARK]
    assert world.journal.ids == ["p1"]


def test_a_looker_that_fails_hurts_nobody(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.intake.offer(posted("ugly"))
    world.intake.offer(posted("p1"))
    with Running(world.intake):
        assert world.written(2)
    assert [event_id for event_id, _ in world.eager.seen] == ["ugly", "p1"]
    assert "processor eager fails" in caplog.text


def test_it_counts_what_went_through(world: World) -> None:
    for event in (posted("p1"), posted("p2"), happened("hello"), happened("typign")):
        assert world.intake.offer(event)
    with Running(world.intake):
        assert world.written(2)
    counters = world.intake.counters
    assert (counters.events, counters.kept, counters.jobs) == (4, 2, 2)
    assert counters.unknown == {"hello": 1, "typign": 1}
    assert counters.lag_ms == 250


def test_endless_names_are_not_remembered_endlessly() -> None:
    counters = Counters()
    for n in range(MOST_UNKNOWN + 5):
        counters.come(f"e{n}")
    assert counters.unknown["others"] == 5
    assert len(counters.unknown) == MOST_UNKNOWN + 1


def test_a_heart_rests_while_nothing_comes(world: World) -> None:
    heart, is_bound = Heart(), threading.Event()

    def work() -> None:
        heart.bind()
        is_bound.set()
        world.intake.run(running.stop)

    running = Running(world.intake)
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        assert is_bound.wait(PATIENCE_S)
        eventually(lambda: heart.waits_for == "the next event")
        assert heart.silent_s() == 0
        running.stop.set()
        done.result(PATIENCE_S)


outcomes = st.lists(st.sampled_from(["", "", "write", "written"]), max_size=12)
arrivals = st.lists(st.sampled_from(["live", "page", "junk"]), max_size=30)


@settings(max_examples=60, deadline=None)
@given(arrivals, outcomes)
def test_whatever_fails_all_is_written_in_order(
    kinds: list[str], failures: list[str]
) -> None:
    world = World()
    expected: list[str] = []
    for failure in filter(None, failures):
        world.fail.at(failure, Transient("down"))
    with Running(world.intake) as running:
        for n, kind in enumerate(kinds):
            if kind == "live":
                assert world.intake.offer(posted(f"e{n}"))
                expected += [f"e{n}"]
            elif kind == "page":
                page = [posted(f"e{n}a"), posted(f"e{n}b")]
                assert world.intake.deliver(page, [MARK], running.stop)
                expected += [f"e{n}a", f"e{n}b"]
            else:
                assert world.intake.reject("mattermost", str(n).encode(), "junk")
    assert world.journal.ids == expected
    junk = [str(n).encode() for n, kind in enumerate(kinds) if kind == "junk"]
    assert list(dict.fromkeys(r.raw for r in world.journal.rejects)) == junk


def test_what_only_moves_a_mark_is_no_entry(world: World) -> None:
    world.decider.adopt({"posted": [Save(contains=["deploy"])]})
    newest = posted("p2", connection=7, occurred_at=NOW + 1)
    passing = [posted("p1", connection=7), newest, posted("p0", connection=7)]
    assert world.intake.deliver(
        [posted("b1", origin="backfill")], [], Running(world.intake).stop
    )
    for event in [*passing, posted("kept", "deploy", connection=7)]:
        world.intake.offer(event)
    with Running(world.intake):
        assert world.written(1)
    assert world.journal.ids == ["kept"]
    parcels = [parcel for batch in world.journal.batches for parcel in batch]
    assert [dict(parcel.passed) for parcel in parcels] == [
        {},
        {("mattermost", "c1", 7): (NOW + 1, "p2")},
    ]
