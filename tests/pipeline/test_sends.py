from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from malexbot.errors import Permanent, Transient, Uncertain
from malexbot.pipeline import hold as holds
from malexbot.pipeline.hold import Hold, TooLate
from malexbot.pipeline.sends import ChatPosts, ChatReactions
from malexbot.pipeline.verdicts import Postponed
from malexbot.ports import Effect, Grant, Job, LeaseLost
from tests.support.events import posted
from tests.support.fakes import Clock, Failing, Late, MemoryChat
from tests.support.queue import MemoryJobs, job

LEASE_S = 90.0


class World:
    """A queue with one message to send, and the messenger that takes it."""

    def __init__(self, **more: Any) -> None:
        self.clock, self.fail = Clock(), Failing()
        self.jobs = MemoryJobs(self.clock, self.fail)
        self.chat = MemoryChat(self.clock, self.fail)
        self.posts = ChatPosts(
            chats={"mattermost": self.chat}, jobs=self.jobs, grants=self.jobs.grants
        )
        self.jobs.offer(posted(), "answer")
        (run,) = self.claim("run")
        payload = {"channel_id": "c1", "message": "hi", **more}
        self.jobs.finish(run, [Effect("chat.post", "mattermost:c1", payload)])

    def claim(self, kind: str = "chat.post") -> list[Job]:
        return self.jobs.claim(kinds=[kind], limit=9, lease_s=LEASE_S)

    def hold(self, lease_s: float = LEASE_S) -> Hold:
        return Hold(lease_s=lease_s, time_out_s=60)

    def send(self) -> str:
        (claimed,) = self.claim()
        return self.posts(claimed, self.hold()).note

    def send_in_vain(self) -> Postponed:
        """The job waits as it was asked to; time goes on to its next turn."""
        (claimed,) = self.claim()
        with pytest.raises(Postponed) as raised:
            self.posts(claimed, self.hold())
        again = raised.value.again
        self.jobs.retry(
            claimed,
            wait_s=again.wait_s,
            reason=again.reason,
            is_uncertain=again.is_uncertain,
        )
        return raised.value

    def row(self) -> Any:
        return self.jobs.rows[2]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World()
    monkeypatch.setattr(holds.time, "monotonic", world.clock)
    yield world


def test_a_message_is_sent_with_the_key_of_its_job(world: World) -> None:
    assert world.send() == "post post-1"
    assert world.chat.posts == [("key-2", {"channel_id": "c1", "message": "hi"})]


def test_that_the_first_byte_leaves_is_durable_before_it_does(world: World) -> None:
    world.fail.at("mark_sending", Transient("the database is away"))
    (claimed,) = world.claim()
    with pytest.raises(Transient):
        world.posts(claimed, world.hold())
    assert world.chat.posts == []
    assert world.row().sending_at is None


def test_what_is_noted_already_is_not_noted_again(world: World) -> None:
    world.fail.at("mark_sending", AssertionError("noted twice"))
    (claimed,) = world.claim()
    world.posts(replace(claimed, is_noted=True), world.hold())
    assert len(world.chat.posts) == 1


def test_what_was_noted_at_its_birth_counts_from_there(world: World) -> None:
    (claimed,) = world.claim()
    hold = world.hold()
    world.clock.now += 26
    world.fail.at("sent", Uncertain("the line broke"))
    with pytest.raises(Postponed) as raised:
        world.posts(replace(claimed, is_noted=True), hold)
    assert raised.value.again.wait_s == pytest.approx(60.5 - 26)


def test_an_uncertain_send_is_repeated_soon_with_the_same_key(world: World) -> None:
    world.fail.at("sent", Uncertain("the line broke"))
    again = world.send_in_vain().again
    assert again.is_uncertain
    assert again.wait_s <= 1
    world.clock.now += again.wait_s
    assert world.send() == "post post-1, found"
    assert len(world.chat.posts) == 1


def test_what_did_not_arrive_is_sent_by_the_repeat(world: World) -> None:
    world.fail.at("send", Uncertain("the line broke"))
    world.clock.now += world.send_in_vain().again.wait_s
    assert world.send() == "post post-1"


def test_between_25_and_60_s_nothing_is_sent(world: World) -> None:
    world.fail.at("sent", Uncertain("the line broke"))
    world.send_in_vain()
    for ago_s in (26, 40, 59):
        world.clock.now = world.row().sending_at + ago_s
        world.row().due_at = world.clock.now
        again = world.send_in_vain().again
        assert again.is_uncertain
        assert again.wait_s == pytest.approx(60.5 - ago_s)
    assert len(world.chat.posts) == 1


def test_after_60_s_it_is_looked_for_before_it_is_sent(world: World) -> None:
    world.fail.at("sent", Uncertain("the line broke"))
    world.send_in_vain()
    world.clock.now += 61
    assert world.send() == "post post-1, found"
    assert len(world.chat.posts) == 1


def test_what_is_not_found_is_sent_anew_and_marked_anew(world: World) -> None:
    world.fail.at("send", Uncertain("the line broke"))
    world.send_in_vain()
    world.clock.now += 61
    world.fail.at("sent", Uncertain("again"))
    assert world.send_in_vain().again.is_uncertain
    assert world.row().sending_at == world.clock.now
    world.clock.now += 61
    assert world.send() == "post post-1, found"
    assert len(world.chat.posts) == 1


def test_a_crash_while_sending_is_an_uncertain_send(world: World) -> None:
    (claimed,) = world.claim()
    world.jobs.mark_sending(claimed)
    world.chat.send(claimed.payload, key=claimed.key)
    world.jobs.take_over()
    world.clock.now += 5
    assert world.send() == "post post-1, found"
    world.clock.now += 100
    assert len(world.chat.posts) == 1


def test_a_messenger_that_forgot_the_key_is_not_given_the_message_twice(
    world: World,
) -> None:
    """As one that was started anew after it saved it."""
    world.fail.at("sent", Uncertain("the line broke"))
    world.clock.now += world.send_in_vain().again.wait_s
    world.chat.window_s = 0
    assert world.send() == "post post-1, found"
    assert len(world.chat.posts) == 1


def test_what_is_still_on_its_way_when_it_is_looked_for_is_there_once(
    world: World,
) -> None:
    world.fail.at("send", Late(2))
    world.send_in_vain()
    world.clock.now += 1
    world.row().due_at = world.clock.now
    assert world.send() == "post post-1"
    world.clock.now += 5
    world.chat.settle()
    assert len(world.chat.posts) == 1


def test_a_repeat_that_fails_for_sure_leaves_the_first_send_uncertain(
    world: World,
) -> None:
    world.fail.at("send", Uncertain("the line broke"))
    world.send_in_vain()
    world.clock.now += 2
    world.fail.at("send", Transient("refused"))
    assert world.send_in_vain().again.is_uncertain
    assert world.row().sending_at is not None


def test_a_look_that_fails_leaves_the_send_uncertain(world: World) -> None:
    world.fail.at("sent", Uncertain("the line broke"))
    world.send_in_vain()
    world.clock.now += 61
    for error in (Transient("away"), Uncertain("cut")):
        world.fail.at("find", error)
        assert world.send_in_vain().again.is_uncertain
        world.clock.now += 61
    assert world.send() == "post post-1, found"


def test_a_send_that_fails_for_sure_is_not_uncertain(world: World) -> None:
    world.fail.at("send", Transient("refused"))
    (claimed,) = world.claim()
    with pytest.raises(Transient, match="refused"):
        world.posts(claimed, world.hold())


def test_before_a_send_the_lease_must_outlast_its_time_out(world: World) -> None:
    (claimed,) = world.claim()
    with pytest.raises(TooLate):
        world.posts(claimed, world.hold(world.chat.timeout_s))
    assert world.row().sending_at is None


def test_a_repeat_needs_a_lease_that_outlasts_it_too(world: World) -> None:
    world.fail.at("send", Uncertain("the line broke"))
    world.send_in_vain()
    for waited_s in (2, 61):
        world.clock.now = world.row().due_at = world.row().sending_at + waited_s
        (claimed,) = world.claim()
        with pytest.raises(TooLate):
            world.posts(claimed, world.hold(world.chat.timeout_s))
        world.jobs.take_over()
    assert world.chat.posts == []


def test_a_process_that_slept_over_its_lease_sends_nothing(world: World) -> None:
    (claimed,) = world.claim()
    held = world.hold()

    def sleep(door: str) -> None:
        if door == "marked_sending":
            world.clock.now += LEASE_S

    world.jobs.fail = sleep
    with pytest.raises(TooLate):
        world.posts(claimed, held)
    assert world.chat.posts == []


def test_time_between_claim_and_repeat_counts(world: World) -> None:
    world.fail.at("sent", Uncertain("the line broke"))
    world.send_in_vain()
    world.clock.now += 20
    (claimed,) = world.claim()
    held = world.hold()
    world.clock.now += 20
    with pytest.raises(Postponed, match="looked for later"):
        world.posts(claimed, held)


def test_who_lost_the_job_sends_nothing(world: World) -> None:
    (claimed,) = world.claim()
    world.jobs.take_over()
    with pytest.raises(LeaseLost):
        world.posts(claimed, world.hold())
    assert world.chat.posts == []


def test_a_messenger_that_is_not_there_is_told(world: World) -> None:
    with pytest.raises(Permanent, match="no messenger 'vk'"):
        world.posts(job(name="vk:7"), world.hold())


def test_a_reaction_is_simply_repeated(world: World) -> None:
    react = ChatReactions({"mattermost": world.chat})
    payload = {"channel_id": "c1", "post_id": "p1", "emoji": "eyes"}
    reaction = job(kind="chat.react", payload=payload)
    world.fail.at("reacted", Uncertain("the line broke"))
    with pytest.raises(Postponed) as raised:
        react(reaction, world.hold())
    assert not raised.value.again.is_uncertain
    react(reaction, world.hold())
    assert world.chat.reactions == [payload]


CARDS = [{"controls": [{"kind": "button", "ref": "r1", "action": "go"}]}]


def test_what_was_pressed_is_there_however_it_was_changed_since() -> None:
    """An update takes away the mark that it would be looked for by."""
    world = World(cards=CARDS)
    world.jobs.grants.make([Grant("r1", "button", "rota.go", {}, expires_s=60)])
    world.fail.at("sent", Uncertain("the line broke"))
    world.send_in_vain()
    world.clock.now += 60
    world.jobs.grants.know_post(["r1"], "post-1")
    world.chat.posts[0] = ("another key", {"message": "it is done"})
    assert world.send() == "post post-1, found"
    assert len(world.chat.posts) == 1


def test_nobody_has_pressed_it_it_is_looked_for() -> None:
    world = World(cards=CARDS)
    world.jobs.grants.make([Grant("r1", "button", "rota.go", {}, expires_s=60)])
    world.fail.at("sent", Uncertain("the line broke"))
    world.send_in_vain()
    world.clock.now += 60
    assert world.send() == "post post-1, found"


def test_without_an_answer_from_the_grants_it_stays_uncertain() -> None:
    world = World(cards=CARDS)
    world.fail.at("sent", Uncertain("the line broke"))
    world.send_in_vain()
    world.clock.now += 60
    world.jobs.grants.fail = world.fail
    world.fail.at("look", Transient("away"))
    assert world.send_in_vain().again.is_uncertain
