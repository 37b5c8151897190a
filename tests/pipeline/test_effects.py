from __future__ import annotations

import pytest

from malexbot.pipeline.effects import POST, REACT, Collector
from malexbot.pipeline.hold import Revoked
from malexbot.ports import Effect, Terms
from tests.support.events import happened, posted, reacted


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
    bot = Collector(posted("p1"), longest_text=8)
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
    ):
        with pytest.raises(Revoked):
            act()
    assert bot.effects == []
