from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from malexbot.errors import Permanent, Transient, Unstorable
from malexbot.events import Event
from malexbot.pipeline.audience import Audience, Heard
from malexbot.pipeline.decider import AGAIN_S, Decider
from malexbot.pipeline.guard import LoopGuard
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.runner import Runner, Work
from malexbot.pipeline.runs import RUN, ProcessorRuns
from malexbot.pipeline.verdicts import Done, Ended, Verdict
from malexbot.ports import Bot, Effect, Job, Occasion, Processor, Terms
from tests.support.events import BOT, NOW, posted
from tests.support.fakes import Clock, Failing, MemoryChat
from tests.support.queue import MemoryJobs, Row

Act = Callable[[Event, Bot], None]


class Acting(Processor):
    """Does what a test says."""

    name = "acting"

    def __init__(self, act: Act) -> None:
        self.act = act
        self.occasions: list[Occasion] = []

    def handle(self, event: Event, occasion: Occasion, bot: Bot) -> None:
        self.occasions.append(occasion)
        self.act(event, bot)


class World:
    """A queue with one event, and what runs it."""

    def __init__(
        self,
        act: Act = lambda event, bot: bot.reply("hi"),
        *,
        audience: Audience | None = None,
    ) -> None:
        self.fail, self.age_s, self.clock = Failing(), 0.0, Clock()
        self.jobs = MemoryJobs(self.clock, self.fail)
        self.rests: list[float] = []
        self.processor = Acting(act)
        self.runs = ProcessorRuns(
            decider=Decider(
                processors={"posted": [self.processor]},
                audience=audience or Audience(Heard(BOT, {"c1"})),
                server_now_ms=lambda: NOW + int(self.age_s * 1000),
            ),
            chats={"mattermost": MemoryChat(Clock(), longest_text=10)},
            guard=LoopGuard(3),
        )
        self.runner = Runner(
            jobs=self.jobs, handlers={RUN: self.runs}, rest=self.rests.append
        )
        self.jobs.offer(posted(), "acting")

    def run(self, hold: Hold | None = None) -> Row:
        (job,) = self.claim()
        self.runner.run(Work(job, hold or held()), goes_on=False)
        return self.jobs.rows[job.id]

    def claim(self) -> list[Job]:
        return self.jobs.claim(kinds=self.runner.kinds, limit=9, lease_s=90)


def held(lease_s: float = 90) -> Hold:
    return Hold(lease_s=lease_s, time_out_s=60)


def raising(error: BaseException) -> Act:
    def act(event: Event, bot: Bot) -> None:
        bot.reply("half an answer")
        raise error

    return act


def test_what_a_handler_says_is_a_send_of_its_own_once_it_is_done() -> None:
    world = World()
    assert world.run().state == "done"
    send = world.jobs.rows[2]
    assert (send.kind, send.name, send.state) == ("chat.post", "mattermost:c1", "ready")
    assert send.payload["message"] == "hi"


def test_who_goes_on_is_given_the_first_send() -> None:
    world = World(lambda event, bot: bot.reply("one two three four"))
    (job,) = world.claim()
    hold = held()
    after = world.runner.run(Work(job, hold), goes_on=True)
    following = after.work
    assert following and after.lanes == ["mattermost:c1"]
    assert (following.job.kind, following.job.is_noted) == ("chat.post", True)
    assert following.hold.lease.left_s > hold.lease.left_s
    assert [row.state for row in world.jobs.rows.values()] == [
        "done",
        "leased",
        "ready",
    ]


def test_effects_are_rendered_once_and_numbered() -> None:
    world = World(lambda event, bot: bot.reply("one two three four"))
    world.run()
    sends = [row.payload["message"] for row in world.jobs.of("ready")]
    assert sends == ["one two ", "three four"]


def test_a_handler_that_fails_has_said_nothing() -> None:
    world = World(raising(Transient("away")))
    row = world.run()
    assert (row.state, row.reason) == ("ready", "away")
    assert len(world.jobs.rows) == 1


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (Permanent("never"), "dead"),
        (Transient("later"), "ready"),
        (ZeroDivisionError("fault"), "ready"),
        (SystemExit(2), "ready"),
    ],
)
def test_errors_end_the_job_by_their_class(error: BaseException, state: str) -> None:
    assert World(raising(error)).run().state == state


def test_a_fault_shows_where_it_is(caplog: pytest.LogCaptureFixture) -> None:
    World(raising(ZeroDivisionError("oh"))).run()
    assert "job 1, acting: a fault" in caplog.text
    assert "raise error" in caplog.text


def test_a_dead_job_is_an_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    World(raising(Permanent("no such channel"))).run()
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "job 1, run acting: dead: no such channel"


def test_a_lost_answer_at_the_end_ends_it_once() -> None:
    world = World()
    world.fail.at("finished", Transient("the line broke"))
    assert world.run().state == "done"
    assert len(world.jobs.of("ready")) == 1
    assert len(world.rests) == 1


def test_the_end_is_written_when_the_database_is_back() -> None:
    world = World()
    world.fail.at("finish", *[Transient("away")] * 4)
    assert world.run().state == "done"
    assert len(world.rests) == 4


def test_an_end_that_cannot_be_written_is_left_to_the_lease(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.fail.always_at("finish")
    assert world.run(held(lease_s=0)).state == "leased"
    assert "could not be ended in time" in caplog.text


def test_what_nobody_can_keep_ends_the_job(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.fail.at("finish", Transient("away"), Unstorable("no JSON: set"))
    world.fail.at("give_up", Transient("away again"))
    row = world.run()
    assert (row.state, row.reason) == ("dead", "no JSON: set")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "job 1, run acting: dead: no JSON: set"


def test_an_end_that_is_never_kept_is_no_endless_turn() -> None:
    world = World(raising(Permanent("no")))
    world.fail.at("give_up", Unstorable("not even this"))
    with pytest.raises(Unstorable):
        world.run()


def test_who_was_revoked_ends_nothing() -> None:
    hold = held()
    world = World(lambda event, bot: None if hold.revoke() else None)
    assert world.run(hold).state == "leased"


def test_a_revoked_handler_cannot_act() -> None:
    hold = held()
    said: list[str] = []

    def act(event: Event, bot: Bot) -> None:
        hold.revoke()
        bot.reply("too late")
        said.append("too late")

    assert World(act).run(hold).state == "leased"
    assert said == []


def test_what_was_taken_over_is_left_alone() -> None:
    world = World()
    (job,) = world.claim()
    world.jobs.take_over()
    world.runner.run(Work(job, held()), goes_on=False)
    assert world.jobs.rows[1].state == "leased"
    assert len(world.jobs.rows) == 1


def test_what_a_person_retries_is_done_however_old_it_is() -> None:
    world = World()
    world.age_s = 3600
    world.jobs.rows[1].payload = {"by_hand": True}
    assert world.run().state == "done"
    (send,) = world.jobs.of("ready")
    assert send.expires_at == pytest.approx(world.jobs._clock() + 600)


def test_a_job_that_is_too_old_by_the_servers_clock_is_expired() -> None:
    world = World()
    world.age_s = 601
    row = world.run()
    assert (row.state, row.reason) == (
        "expired",
        "it happened 601 s ago, that is too old",
    )
    assert world.processor.occasions == []


def test_a_send_whose_time_is_over_is_expired() -> None:
    world = World()
    (job,) = world.claim()
    world.runner.run(Work(replace(job, left_s=0.0), held()), goes_on=False)
    assert world.jobs.rows[1].state == "expired"


def test_what_waited_for_too_long_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    heard: list[tuple[int, Verdict]] = []

    def listener(job: Job, verdict: Verdict, spent_s: float) -> None:
        heard.append((job.id, verdict))

    runner = Runner(jobs=world.jobs, handlers={RUN: world.runs}, ended=[listener])
    world.jobs.rows[1].expires_at = world.jobs._clock()
    runner.expire()
    runner.expire()
    assert heard == [(1, Ended("expired", "too old"))]
    (record,) = caplog.records
    assert record.getMessage() == "job 1, run acting: too old"


def test_an_answer_grows_old_with_its_question_unless_it_says_otherwise() -> None:
    def act(event: Event, bot: Bot) -> None:
        bot.reply("a")
        bot.reply("b", terms=Terms(5))

    world = World(act)
    world.age_s = 100
    done = world.runs(world.claim()[0], held())
    assert [effect.terms.max_age_s for effect in done.effects] == [500, 5]


def test_a_handler_knows_how_old_the_event_is_and_where_it_was_said() -> None:
    world = World()
    world.jobs.offer(posted("p2", data={"channel_type": "D"}), "acting")
    world.age_s = 7
    world.run()
    world.run()
    assert world.processor.occasions == [Occasion(7, False), Occasion(7, True)]


def test_what_a_start_finds_waits_until_the_bot_knows_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Judged before, it would be done and say nothing, for nobody seems to be named."""
    audience = Audience()
    world = World(audience=audience)
    world.jobs.rows[1].event = posted(text="@malexbot help")
    for _ in range(3):
        row = world.run()
        assert (row.state, row.failing_since) == ("ready", None)
        assert "who the bot is" in row.reason
        world.clock.now = max(row.due_at, world.clock.now + AGAIN_S)
    assert world.processor.occasions == caplog.records == []
    audience.know_self(BOT, "malexbot")
    audience.hear({"c1"}, set())
    assert world.run().state == "done"
    assert world.processor.occasions == [Occasion(0, is_mention=True)]


def test_the_loop_guard_holds_back_what_is_too_much() -> None:
    def act(event: Event, bot: Bot) -> None:
        for n in range(5):
            bot.reply(str(n))

    world = World(act)
    assert world.run().reason == "2 answers held back"
    assert len(world.jobs.of("ready")) == 3


def test_a_processor_that_is_gone_leaves_a_dead_job() -> None:
    world = World()
    world.jobs.offer(posted("p2", channel_id="c2"), "gone")
    jobs = {job.name: job for job in world.claim()}
    world.runner.run(Work(jobs["gone"], held()), goes_on=False)
    row = world.jobs.rows[2]
    assert (row.state, row.reason) == ("dead", "no processor 'gone' is configured")


def test_only_jobs_that_somebody_does_are_claimed() -> None:
    handlers = {"a": nothing, "b": nothing}
    runner = Runner(jobs=MemoryJobs(Clock()), handlers=handlers)
    assert runner.kinds == ("a", "b")


def nothing(job: Job, hold: Hold) -> Done:
    return Done()


def test_a_cooldown_lets_the_first_answer_through_and_keeps_the_next_back() -> None:
    world = World(lambda event, bot: bot.reply("a", terms=Terms(None, "rule:c1", 60)))
    world.jobs.offer(posted("p2"), "acting")
    assert [world.run().state, world.run().state] == ["done", "done"]
    assert len(world.jobs.of("ready")) == 1


def test_effects_are_those_of_the_handler() -> None:
    effect = Effect("chat.post", "mattermost:c1", {})
    jobs = MemoryJobs(Clock())
    jobs.offer(posted(), "any")
    runner = Runner(jobs=jobs, handlers={RUN: lambda job, hold: Done([effect], "note")})
    (job,) = jobs.claim(kinds=[RUN], limit=1, lease_s=9)
    runner.run(Work(job, held()), goes_on=False)
    assert jobs.rows[1].reason == "note"
    assert jobs.rows[2].kind == "chat.post"


def test_listeners_are_told_of_each_end_and_how_long_it_took() -> None:
    world, told = World(), list[tuple[int, str, float]]()
    runner = Runner(
        jobs=world.jobs,
        handlers={RUN: world.runs},
        ended=[lambda job, found, took_s: told.append((job.id, str(found), took_s))]
        * 2,
    )
    (job,) = world.claim()
    hold = held()
    runner.run(Work(job, hold), goes_on=False)
    assert [(id, found[:5]) for id, found, _ in told] == [(1, "Done(")] * 2
    assert all(0 < took_s <= hold.spent_s for _, _, took_s in told)
