from __future__ import annotations

import base64
import threading
from typing import Any

import pytest

from malexbot.errors import Permanent, Transient, Uncertain
from malexbot.events import Event
from malexbot.pipeline.answers import ChatAnswers, ChatDialogs, ChatEdits, ChatUploads
from malexbot.pipeline.desk import Desk
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.reply import ANSWER
from malexbot.pipeline.runner import Handler
from malexbot.pipeline.verdicts import Done, Postponed
from malexbot.ports import Effect, Entry, Job, PostKnown, Use
from tests.support.events import commanded, pressed
from tests.support.fakes import Clock, Failing, MemoryChat
from tests.support.queue import job
from tests.support.threads import PATIENCE_S

CARDS = [{"text": "", "controls": [{"kind": "button", "ref": "r1", "action": "a"}]}]


class Ways:
    """ports.AnswerWays: so many uses are left."""

    def __init__(self, left: int = 5) -> None:
        self.left = left
        self.keys: list[str] = []

    def use(self, event_id: str, *, key: str) -> Use | None:
        self.keys.append(key)
        self.left -= 1
        return Use(is_repeat=False) if self.left >= 0 else None


class World:
    """A chat, and a desk where somebody may wait."""

    def __init__(self, ways: int = 5) -> None:
        self.fail = Failing()
        self.chat = MemoryChat(Clock(), self.fail)
        self.chats = {"mattermost": self.chat}
        self.ways = Ways(ways)
        self.desk = Desk(
            offer=lambda event: True,
            decide=lambda event: Entry(event, False, ["rota.approve"]),
            now_ms=lambda: 0,
        )
        self.answers = ChatAnswers(chats=self.chats, desk=self.desk, ways=self.ways)

    def late(self, **values: Any) -> Done:
        return self.do(self.answers, payload(**values))

    def waited_for(self, **values: Any) -> tuple[Any, Done]:
        """What the HTTP call says, and what becomes of the job."""
        done: list[Done] = []
        thread = threading.Thread(target=lambda: done.append(self.late(**values)))

        def offer(event: Event) -> bool:
            thread.start()
            return True

        self.desk._offer = offer
        event = commanded() if values.get("kind") == "command" else pressed()
        told = self.desk.ask(event, PATIENCE_S)
        self.desk.note_written("e1")
        thread.join(PATIENCE_S)
        return told, done[0]

    def do(self, handler: Handler, told: dict[str, Any], **values: Any) -> Done:
        claimed: Job = job(kind=ANSWER, name="mattermost:@alice-id/e1", payload=told)
        return handler(claimed, Hold(lease_s=90, time_out_s=60))


def payload(**values: Any) -> dict[str, Any]:
    known = {"event_id": "e1", "kind": "button", "user_id": "alice-id"}
    more = {"channel_id": "c1", "message": "done", "in_channel": False, "cards": []}
    return {**known, **more, **values}


@pytest.fixture
def world() -> World:
    return World()


def test_who_waits_is_answered_and_the_chat_is_left_alone(world: World) -> None:
    answered, done = world.waited_for()
    assert answered == payload()
    assert done.note == "answered" and world.chat.answers == []


def test_who_does_not_wait_any_more_is_answered_later(world: World) -> None:
    assert world.late().note == "answered later"
    assert world.chat.answers == [payload()]


@pytest.mark.parametrize("values", [{"cards": CARDS}, {"in_channel": True}])
def test_what_does_not_fit_into_the_call_goes_another_way(
    world: World, values: dict[str, Any]
) -> None:
    answered, done = world.waited_for(**values)
    assert answered == {}
    assert world.chat.answers == [payload(**values)]


def test_it_is_known_under_which_post_a_button_stands_from_now_on(world: World) -> None:
    update = {"message": "page 2", "cards": CARDS}
    _, done = world.waited_for(post_id="p1", update=update)
    assert done.writes == [PostKnown(("r1",), "p1")]
    late = world.late(kind="command", cards=CARDS)
    (known,) = late.writes
    assert isinstance(known, PostKnown) and known.refs == ("r1",)


def test_a_way_that_is_used_up_is_not_tried() -> None:
    world = World(ways=1)
    told = {"kind": "command", "response_url": "http://mm/hooks/commands/x"}
    world.late(**told)
    world.late(**told)
    first, second = world.chat.answers
    assert "response_url" in first and "response_url" not in second
    assert world.ways.keys == ["key-1", "key-1"]


def test_a_way_is_asked_for_only_where_there_is_one(world: World) -> None:
    world.late()
    assert world.ways.keys == []


def test_what_nobody_knows_the_end_of_is_answered_again(world: World) -> None:
    world.fail.at("answer", Uncertain("the line broke"))
    with pytest.raises(Postponed):
        world.late()
    world.late()
    assert len(world.chat.answers) == 1


def test_an_edit_is_done_again_until_it_is_there(world: World) -> None:
    told = {"channel_id": "c1", "post_id": "p1", "message": "new", "cards": CARDS}
    edits = ChatEdits(world.chats)
    world.fail.at("edit", Uncertain("the line broke"))
    with pytest.raises(Postponed):
        world.do(edits, told)
    assert world.do(edits, told).writes == [PostKnown(("r1",), "p1")]
    assert world.chat.edits == [told]


def test_a_dialog_opens_once_at_most(world: World) -> None:
    told = {"trigger_id": "t1", "ref": "r1", "title": "Leave", "fields": []}
    dialogs = ChatDialogs(world.chats)
    world.fail.at("open_dialog", Uncertain("the line broke"))
    with pytest.raises(Uncertain):
        world.do(dialogs, told)
    assert world.do(dialogs, told) == Done()
    assert world.chat.dialogs == [told]


def test_a_file_is_shown_by_a_post_of_its_own(world: World) -> None:
    content = base64.b64encode(b"abc").decode()
    told = {"channel_id": "c1", "root_id": "", "message": "see", "name": "a.txt"}
    done = world.do(ChatUploads(world.chats), {**told, "content": content})
    (post,) = done.effects
    assert isinstance(post, Effect) and post.kind == "chat.post"
    assert post.payload["message"] == "see" and len(post.payload["file_ids"]) == 1
    assert "content" not in post.payload


@pytest.mark.parametrize("error", [Transient("busy"), Permanent("no such user")])
def test_what_the_chat_refuses_is_for_the_queue(world: World, error: Exception) -> None:
    world.fail.at("answer", error)
    with pytest.raises(type(error)):
        world.late()
