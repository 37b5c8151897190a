"""A processor's run: what it may act on, once, and what it leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from malexbot.errors import Permanent, Transient, Unstorable
from malexbot.events import Event
from malexbot.pipeline.answers import ChatAnswers, ChatDialogs
from malexbot.pipeline.audience import Audience, Heard
from malexbot.pipeline.controls import Place, lay_out
from malexbot.pipeline.decider import Decider
from malexbot.pipeline.desk import Answer, Desk
from malexbot.pipeline.effects import DIALOG, POST, Collector
from malexbot.pipeline.guard import LoopGuard
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.reply import ANSWER
from malexbot.pipeline.runner import Runner, Work
from malexbot.pipeline.runs import RUN, ProcessorRuns
from malexbot.pipeline.sends import ChatPosts
from malexbot.pipeline.sight import Sight
from malexbot.ports import Bot, Button, Card, Dialog, Job, Occasion, Processor, Put, Use
from tests.support.events import BOT, NOW, commanded, posted, pressed
from tests.support.fakes import Clock, Failing, MemoryChat
from tests.support.grants import MemoryGrants
from tests.support.queue import MemoryJobs, Row
from tests.support.store import MemoryStore
from tests.support.threads import PATIENCE_S

Act = Callable[[Event, Bot], None]


class Acting(Processor):
    """Does what a test says."""

    name = "rota.approve"
    settings = {"days": 7}

    def __init__(self, act: Act, *, once: bool = False) -> None:
        self.act = act
        self.once = once
        self.runs = 0

    def wants(self, event: Event, occasion: Occasion) -> bool:
        return True

    def handle(self, event: Event, occasion: Occasion, bot: Bot) -> None:
        self.runs += 1
        self.act(event, bot)


class AlwaysOpen:
    """ports.AnswerWays."""

    def use(self, event_id: str, *, key: str) -> Use | None:
        return Use(is_repeat=False)


class World:
    """A queue, what runs it, and somebody who may wait at the desk."""

    def __init__(self, act: Act, *, once: bool = False) -> None:
        self.fail, self.clock, self.age_s = Failing(), Clock(), 0.0
        self.store = MemoryStore(self.fail)
        self.grants = MemoryGrants(self.clock, self.fail)
        self.jobs = MemoryJobs(
            self.clock, self.fail, grants=self.grants, store=self.store
        )
        self.chat = MemoryChat(self.clock, self.fail, longest_text=40)
        self.processor = Acting(act, once=once)
        self.decider = Decider(
            processors={n: [self.processor] for n in ("button", "command", "posted")},
            audience=Audience(Heard(BOT, {"c1"})),
            server_now_ms=self.now_ms,
        )
        self.desk = Desk(
            offer=self.offer, decide=self.decider.decide, now_ms=self.now_ms
        )
        chats = {"mattermost": self.chat}
        self.runs = ProcessorRuns(
            decider=self.decider,
            chats=chats,
            guard=LoopGuard(3),
            desk=self.desk,
            grants=self.grants,
            sight=Sight(self.store, locale=lambda user: "ru"),
        )
        self.runner = Runner(
            jobs=self.jobs,
            handlers={
                RUN: self.runs,
                POST: ChatPosts(chats=chats, jobs=self.jobs),
                DIALOG: ChatDialogs(chats),
                ANSWER: ChatAnswers(chats=chats, desk=self.desk, ways=AlwaysOpen()),
            },
            amends=self.runs.amends,
            ended=[self.desk.ended],
            rest=lambda seconds: None,
        )

    def now_ms(self) -> int:
        return NOW + int(self.age_s * 1000)

    def offer(self, event: Event) -> bool:
        self.jobs.offer(event, self.processor.name)
        self.thread = threading.Thread(target=self.work)
        self.thread.start()
        return True

    def ask(self, event: Event) -> Answer:
        """What the call of this event is answered."""
        told = self.desk.ask(event, PATIENCE_S)
        assert told is not None
        self.desk.note_written(event.event_id)
        self.thread.join(PATIENCE_S)
        return told

    def claim(self) -> list[Job]:
        return self.jobs.claim(kinds=self.runner.kinds, limit=9, lease_s=90)

    def work(self) -> None:
        """Until nothing is left that can be done now."""
        while claimed := self.claim():
            for job in claimed:
                work: Work | None = Work(job, Hold(lease_s=90, time_out_s=60))
                while work:
                    work = self.runner.run(work, goes_on=True).work

    def run(self, event: Event) -> Row:
        """Its run, and all that follows from it, with nobody who waits."""
        self.jobs.offer(event, self.processor.name)
        self.work()
        return next(row for row in self.jobs.rows.values() if row.event == event)

    def sent(self, kind: str) -> list[Row]:
        return [row for row in self.jobs.rows.values() if row.kind == kind]

    def granted(self, **values: Any) -> str:
        """The reference of a button that was made before."""
        button = Button("approve", "Yes", **values)
        _, (grant,) = lay_out([Card(controls=[button])], Place("rota", "c1"))
        self.grants.make([grant])
        return grant.ref


def press(ref: str, id: str = "e1", **values: Any) -> Event:
    return pressed(id=id, data={"ref": ref, "trigger_id": "t1"}, **values)


def say(text: str) -> Act:
    return lambda event, bot: bot.answer(text)


def failing(error: Exception) -> Act:
    def act(event: Event, bot: Bot) -> None:
        bot.answer("half an answer")
        bot.store.set("n", 1)
        raise error

    return act


# What is pressed.


def test_what_is_pressed_is_used_up_by_who_pressed_first() -> None:
    world = World(say("done"))
    ref = world.granted()
    assert world.ask(press(ref, "e1")) == answer("e1", "done")
    late = world.ask(press(ref, "e2"))
    assert late == answer("e2", "Кто-то успел раньше, или время уже вышло.")
    assert world.processor.runs == 1
    assert world.run(press(ref, "e3")).reason == "was taken already"


def test_who_stands_by_uses_nothing_up_and_is_told_of_all() -> None:
    told: list[str] = []
    world = World(lambda event, bot: told.append(event.event_id))
    world.processor.stands_by = True
    ref = world.granted()
    for id in ("e1", "e2"):
        assert world.run(press(ref, id)).reason == ""
    assert (told, world.sent(ANSWER)) == (["e1", "e2"], [])
    assert world.grants.take(ref, event_id="e3")


def test_who_pressed_is_not_told_that_who_stands_by_failed() -> None:
    world = World(failing(Permanent("nowhere")))
    world.processor.stands_by = True
    assert world.run(press(world.granted())).state == "dead"
    assert world.sent(ANSWER) == []


def answer(event_id: str, message: str) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "kind": "button",
        "user_id": "alice-id",
        "channel_id": "c1",
        "post_id": "p1",
        "message": message,
        "in_channel": False,
        "cards": [],
    }


def test_what_is_pressed_is_known_to_be_there() -> None:
    world = World(say("done"))
    ref = world.granted()
    world.run(press(ref))
    granted = world.grants.look(ref)
    assert granted and granted.post_id == "p1"


def test_who_was_cut_off_after_taking_goes_on_with_what_it_took() -> None:
    world = World(say("done"))
    ref = world.granted()
    world.jobs.offer(press(ref), world.processor.name)
    (cut_off,) = world.claim()
    assert world.grants.take(ref, event_id="e1")
    world.jobs.take_over()
    world.work()
    assert world.processor.runs == 1
    assert world.jobs.rows[cut_off.id].state == "done"


def test_without_an_answer_from_the_grants_it_is_tried_again() -> None:
    world = World(say("done"))
    ref = world.granted()
    world.fail.at("take", Transient("away"))
    assert world.run(press(ref)).state == "ready"
    assert world.processor.runs == 0
    world.clock.now += 60
    world.work()
    assert world.processor.runs == 1


def test_a_refused_press_may_be_pressed_again() -> None:
    world = World(lambda event, bot: bot.refuse("not yet"))
    ref = world.granted()
    for event_id in ("e1", "e2"):
        told = world.ask(press(ref, event_id))
        assert told["message"] == "not yet"
    assert world.processor.runs == 2


def test_a_press_that_went_wrong_is_told_and_may_be_pressed_again() -> None:
    world = World(failing(Permanent("broken")))
    ref = world.granted()
    told = world.ask(press(ref))
    assert told["message"].startswith("Не получилось")
    granted = world.grants.look(ref)
    assert granted and granted.uses_left == 1
    (row,) = world.jobs.of("dead")
    assert row.reason == "broken"
    assert not world.store.kept


@pytest.mark.parametrize("is_late", [False, True])
def test_a_dialog_that_does_not_open_is_told_and_may_be_asked_for_again(
    is_late: bool,
) -> None:
    def act(event: Event, bot: Bot) -> None:
        bot.open_dialog(Dialog("why", "Why?"))
        if is_late:
            world.clock.now += 60
            world.age_s = 60.0

    world = World(act)
    ref = world.granted()
    if not is_late:
        world.fail.at("open_dialog", Permanent("the trigger is expired"))
    pressed_once = press(ref)
    data = {**pressed_once.data, "trigger_id": "t"}
    row = world.run(pressed_once._replace(data=data))
    assert row.state == "done"
    (late,) = world.chat.answers
    assert late["message"].startswith("Форма не успела открыться")
    assert (late["kind"], late["user_id"]) == ("button", "alice-id")
    assert "ref" not in late
    granted = world.grants.look(ref)
    assert granted and granted.uses_left == 1
    assert world.chat.dialogs == []


def test_who_nobody_waits_for_any_more_is_told_another_way() -> None:
    world = World(failing(Permanent("broken")))
    world.run(press(world.granted()))
    (late,) = world.chat.answers
    assert late["message"].startswith("Не получилось")


def test_who_was_told_that_nothing_is_done_is_told_nothing_more() -> None:
    world = World(say("done"))
    world.desk = Desk(
        offer=lambda event: True, decide=world.decider.decide, now_ms=world.now_ms
    )
    world.runs._desk = world.desk
    event = press(world.granted())
    with pytest.raises(Transient):
        world.desk.ask(event, 0)
    row = world.run(event)
    assert (row.state, world.processor.runs) == ("expired", 0)
    assert world.chat.answers == [] and len(world.jobs.rows) == 1
    # But an operator may have it done nevertheless.
    row.state, row.payload, row.due_at = "ready", {"by_hand": True}, world.clock()
    world.work()
    assert (row.state, world.processor.runs) == ("done", 1)


# What is kept.


def count(event: Event, bot: Bot) -> None:
    bot.store.set("n", bot.store.get("n", 0) + 1)
    bot.answer(f"{bot.store.get('n')}")


def test_what_is_kept_is_kept_with_what_is_said() -> None:
    world = World(count)
    for number, text in enumerate("123"):
        told = world.ask(commanded(id=f"e{number}"))
        assert told["message"] == text
    assert world.store.read("rota", "n").value == 3


def test_who_was_overtaken_runs_anew_at_once_and_acts_once() -> None:
    world: World

    def act(event: Event, bot: Bot) -> None:
        count(event, bot)
        if world.processor.runs == 1:
            world.store.put(Put("rota", "n", 10))

    world = World(act)
    told = world.ask(commanded())
    assert told["message"] == "11"
    assert world.store.read("rota", "n").value == 11
    assert world.processor.runs == 2
    assert len(world.sent(ANSWER)) == 1


def test_a_run_anew_is_no_second_answer_to_the_guard() -> None:
    world: World

    def act(event: Event, bot: Bot) -> None:
        bot.reply(f"{bot.store.get('n', 0)}")
        if world.processor.runs < 6:
            world.store.put(Put("rota", "n", world.processor.runs))

    world = World(act)
    assert world.run(posted()).reason == ""
    assert world.chat.messages == ["5"]


def test_a_run_that_failed_keeps_nothing() -> None:
    world = World(failing(Transient("away")))
    assert world.run(commanded()).state == "ready"
    assert not world.store.kept and world.sent(ANSWER) == []


# Once.


@pytest.mark.parametrize("once", [True, False])
def test_what_is_done_once_is_not_begun_again_after_a_crash(once: bool) -> None:
    world = World(say("done"), once=once)
    world.jobs.offer(commanded(), world.processor.name)
    world.claim()
    world.jobs.take_over()
    world.work()
    row = world.jobs.rows[1]
    if once:
        assert (row.state, world.processor.runs) == ("dead", 0)
        assert row.reason.startswith("interrupted")
        (told,) = world.chat.answers
        assert told["message"].startswith("Не получилось")
    else:
        assert (row.state, world.processor.runs) == ("done", 1)


def test_what_is_done_once_is_tried_again_when_it_says_so_itself() -> None:
    world = World(failing(Transient("away")), once=True)
    world.run(commanded())
    world.processor.act = say("done")
    world.clock.now += 60
    world.work()
    assert world.jobs.rows[1].state == "done"


# What it is given, and how long what it says counts.


def test_a_handler_knows_its_settings_and_the_language_of_the_person() -> None:
    seen: list[object] = []

    def act(event: Event, bot: Bot) -> None:
        seen.extend([bot.settings, bot.locale])

    World(act).run(commanded())
    assert seen == [{"days": 7}, "ru"]


def test_a_post_is_found_by_its_name_once_it_is_there() -> None:
    found: list[str] = []

    def act(event: Event, bot: Bot) -> None:
        found.append(bot.named("board"))
        bot.post("c9", "the board", name="board", cards=[card()])

    world = World(act)
    world.run(commanded(id="e1"))
    world.run(commanded(id="e2"))
    assert found == ["", "post-1"]
    grant, _ = world.grants.rows.values()
    assert grant.post_id == "post-1"


def card() -> Card:
    return Card(controls=[Button("approve", "Yes")])


def test_an_answer_lives_as_long_as_its_way_and_a_dialog_as_its_trigger() -> None:
    def act(event: Event, bot: Bot) -> None:
        bot.answer("hello")
        bot.open_dialog(Dialog("request", "Leave"))

    world = World(act)
    world.age_s = 10.0
    world.jobs.offer(commanded(), world.processor.name)
    (job,) = world.claim()
    done = world.runs(job, Hold(lease_s=90, time_out_s=60))
    ages = {effect.kind: effect.terms.max_age_s for effect in done.effects}
    assert ages == {DIALOG: 20.0, ANSWER: 1790.0}
    assert [effect.kind for effect in done.effects] == [DIALOG, ANSWER]


def test_who_begins_nothing_new_still_answers_who_waits() -> None:
    for event, goes_on in ((commanded(), True), (posted(), False)):
        world = World(say("done") if goes_on else lambda e, bot: bot.reply("done"))
        world.jobs.offer(event, world.processor.name)
        (job,) = world.claim()
        work = Work(job, Hold(lease_s=90, time_out_s=60))
        following = world.runner.run(work, goes_on=False).work
        assert (following is not None) == goes_on
        assert following is None or following.job.kind == ANSWER


def test_what_nobody_can_keep_is_told_as_what_went_wrong() -> None:
    world = World(say("a \0 in it"))
    world.fail.at("finish", Unstorable("there is a NUL in what it says"))
    assert world.ask(press(world.granted()))["message"].startswith("Не получилось")
    (row,) = world.jobs.of("dead")
    assert row.reason == "there is a NUL in what it says"


def test_people_are_no_loop() -> None:
    def act(event: Event, bot: Bot) -> None:
        bot.reply("hi")

    world = World(act)
    for number in range(5):
        world.run(commanded(id=f"e{number}"))
    assert len(world.chat.messages) == 5
    for number in range(5):
        world.run(posted(f"p{number}"))
    assert len(world.chat.messages) == 8


def test_a_search_is_for_somebody() -> None:
    bot = Collector(posted()._replace(user=posted().user._replace(uuid="")))
    with pytest.raises(ValueError, match="of nobody"):
        bot.search("words")
