from __future__ import annotations

import base64
import logging

import pytest

from malexbot.pipeline.effects import (
    DIALOG,
    EDIT,
    MOST_BYTES,
    POST,
    REACT,
    UPLOAD,
    Collector,
)
from malexbot.pipeline.hold import Revoked
from malexbot.pipeline.sight import Sight
from malexbot.ports import Button, Card, Dialog, Effect, Processor, Put, Terms
from tests.support.events import commanded, happened, posted, pressed, reacted
from tests.support.store import MemoryStore

CARD = Card(text="who?", controls=[Button("approve", "Yes")])


class Approve(Processor):
    name = "rota.approve"


def test_what_is_said_to_one_person_has_a_target_of_its_own() -> None:
    bot = Collector(posted())
    bot.direct("bob-id", "psst")
    (effect,) = bot.effects
    payload = {"user_id": "bob-id", "message": "psst"}
    assert effect == Effect(POST, "mattermost:@bob-id", payload)


def test_it_may_speak_elsewhere() -> None:
    bot = Collector(posted())
    bot.post("c9", "news", root_id="r1", terms=Terms(5))
    (effect,) = bot.effects
    payload = {"channel_id": "c9", "root_id": "r1", "message": "news"}
    assert effect == Effect(POST, "mattermost:c9", payload, Terms(5))


def test_a_long_reply_is_several_sends_each_a_thing_of_its_own() -> None:
    bot = Collector(posted("p1"), longest_text=lambda messenger: 8)
    bot.reply("one\ntwo\nthree", thread=True, terms=Terms(9, "key", 3))
    assert [e.payload["message"] for e in bot.effects] == ["one\ntwo", "three"]
    assert {e.payload["root_id"] for e in bot.effects} == {"p1"}
    assert {e.terms for e in bot.effects} == {Terms(9, "key", 3)}


def test_a_reaction_can_be_answered_and_reacted_to() -> None:
    bot = Collector(reacted("p1"))
    bot.reply("thanks", thread=True)
    bot.react("heart")
    assert [effect.kind for effect in bot.effects] == [POST, REACT]
    assert bot.effects[0].payload["root_id"] == "p1"
    assert bot.effects[1].payload["post_id"] == "p1"


def test_an_event_without_a_message_can_be_answered_in_its_channel() -> None:
    bot = Collector(happened("user_added", "c1"))
    bot.reply("welcome", thread=True)
    assert bot.effects[0].payload["root_id"] == ""


def test_there_is_nothing_to_react_to_without_a_message() -> None:
    bot = Collector(happened("user_added", "c1"))
    with pytest.raises(ValueError, match="nothing to react to"):
        bot.react("heart")


def test_a_handler_that_was_given_up_can_do_nothing() -> None:
    def check() -> None:
        raise Revoked("too long")

    bot = Collector(posted(), check=check)
    for act in (
        lambda: bot.reply("a"),
        lambda: bot.post("c", "a"),
        lambda: bot.direct("u", "a"),
        lambda: bot.react("a"),
        lambda: bot.edit("c", "p", "a"),
        lambda: bot.upload("c", "a", b""),
        lambda: bot.answer("a"),
        lambda: bot.update("a"),
        lambda: bot.refuse("a"),
        lambda: bot.open_dialog(Dialog("a", "A")),
        lambda: bot.search("a"),
        lambda: bot.named("a"),
    ):
        with pytest.raises(Revoked):
            act()
    assert bot.effects == []


def test_what_can_be_pressed_stands_below_the_last_part_and_so_does_the_name() -> None:
    bot = Collector(posted(), longest_text=lambda messenger: 8, processor=Approve())
    bot.post("c9", "one\ntwo\nthree", cards=[CARD], name="board")
    first, last = bot.effects
    assert first.payload == {"channel_id": "c9", "root_id": "", "message": "one\ntwo"}
    assert first.grants == ()
    assert last.payload["message"] == "three"
    assert last.payload["named"] == ["rota/posts", "board"]
    (grant,) = last.grants
    assert (grant.action, grant.channel_id, grant.users) == ("rota.approve", "c9", ())
    assert last.payload["cards"][0]["controls"][0]["ref"] == grant.ref


def test_cards_need_no_text() -> None:
    bot = Collector(posted())
    bot.reply("", cards=[CARD])
    (effect,) = bot.effects
    assert effect.payload["message"] == "" and len(effect.grants) == 1
    bot = Collector(posted())
    bot.reply(" ")
    assert bot.effects == []


def test_what_is_said_to_one_person_only_that_person_may_press() -> None:
    bot = Collector(posted())
    bot.direct("bob-id", "yours?", cards=[CARD])
    (effect,) = bot.effects
    (grant,) = effect.grants
    assert (grant.users, grant.channel_id) == (("bob-id",), "")


def test_an_edit_leaves_the_cards_or_replaces_them_or_takes_them_away() -> None:
    bot = Collector(posted())
    bot.edit("c1", "p7", "plain")
    bot.edit("c1", "p7", "new", cards=[CARD])
    bot.edit("c1", "p7", "none", cards=())
    left, replaced, taken = bot.effects
    assert {each.kind for each in bot.effects} == {EDIT}
    assert left.payload == {"channel_id": "c1", "post_id": "p7", "message": "plain"}
    assert len(replaced.payload["cards"]) == len(replaced.grants) == 1
    assert taken.payload["cards"] == [] and taken.target == "mattermost:c1"


def test_what_is_one_post_has_to_fit_into_one() -> None:
    bot = Collector(pressed(), longest_text=lambda messenger: 8)
    for act in (
        lambda: bot.edit("c1", "p7", "too long for it"),
        lambda: bot.update("too long for it"),
        lambda: bot.upload("c1", "a", b"", text="too long for it"),
    ):
        with pytest.raises(ValueError, match="a post has 8 at most"):
            act()


def test_a_file_goes_along_with_its_text() -> None:
    bot = Collector(posted())
    bot.upload("c1", "a.txt", b"abc\0", text="see", root_id="r1")
    (effect,) = bot.effects
    assert effect.kind == UPLOAD
    assert base64.b64decode(effect.payload["content"]) == b"abc\0"
    told = {"name": "a.txt", "message": "see", "root_id": "r1"}
    assert told.items() <= effect.payload.items()
    with pytest.raises(ValueError, match="big.bin is too large"):
        bot.upload("c1", "big.bin", bytes(MOST_BYTES + 1))


def test_a_dialog_opens_for_who_asked_before_all_else() -> None:
    bot = Collector(commanded(), processor=Approve())
    bot.answer("one moment")
    bot.open_dialog(Dialog("request", "Leave"))
    dialog, answer = bot.effects
    assert dialog.kind == DIALOG and dialog.target != answer.target
    assert dialog.payload["trigger_id"] == "t1"
    (grant,) = dialog.grants
    assert (grant.action, grant.users) == ("rota.request", ("alice-id",))


def test_a_dialog_needs_somebody_who_asked_just_now() -> None:
    with pytest.raises(ValueError, match="posted opens no dialog"):
        Collector(posted()).open_dialog(Dialog("request", "Leave"))


def test_a_pressed_message_can_be_reacted_to_and_replied_to() -> None:
    bot = Collector(pressed())
    bot.react("+1")
    bot.reply("thanks", thread=True)
    react, reply = bot.effects
    assert (react.kind, react.payload["post_id"]) == (REACT, "p1")
    assert reply.payload["root_id"] == "p1"


def test_a_name_is_the_plugins_own() -> None:
    store = MemoryStore()
    store.put(Put("rota/posts", "board", {"post_id": "p9", "channel_id": "c1"}))
    bot = Collector(posted(), processor=Approve(), sight=Sight(store))
    assert (bot.named("board"), bot.named("other")) == ("p9", "")
    bot.store.set("n", 1)
    assert bot.writes == [Put("rota", "n", 1)]
    assert Collector(posted(), sight=Sight(store)).named("board") == ""


def test_the_log_tells_which_event_it_is_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    event = posted()._replace(event_id="50%s")
    Collector(event, processor=Approve()).log.info("%s is late", "bob")
    (record,) = caplog.records
    assert record.getMessage() == "50%s: bob is late"
    assert record.name == "malexbot.plugins.rota.approve"
