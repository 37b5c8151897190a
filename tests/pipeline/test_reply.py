"""What a handler answers to a command, a button or a dialog."""

from __future__ import annotations

from typing import Any

import pytest

from malexbot.events import Event
from malexbot.pipeline.effects import Collector
from malexbot.pipeline.reply import ANSWER
from malexbot.ports import Button, Card, Effect, GiveBack
from tests.support.events import commanded, filled_in, happened, posted, pressed

CARDS = [Card(controls=[Button("more", "More")])]


def only(bot: Collector) -> Effect:
    (effect,) = bot.effects
    assert effect.kind == ANSWER
    return effect


def payload(bot: Collector) -> dict[str, Any]:
    return dict(only(bot).payload)


def test_all_that_is_answered_is_one_effect() -> None:
    bot = Collector(commanded(data={"response_url": "http://mm/hooks/commands/x"}))
    bot.answer("one")
    bot.answer("two", in_channel=True)
    assert payload(bot) == {
        "event_id": "e1",
        "kind": "command",
        "user_id": "alice-id",
        "channel_id": "c1",
        "response_url": "http://mm/hooks/commands/x",
        "message": "one\ntwo",
        "in_channel": True,
        "cards": [],
    }


def test_an_answer_waits_behind_nothing_else() -> None:
    bot = Collector(commanded())
    bot.post("c1", "news")
    bot.answer("done")
    answer, post = bot.effects
    assert (answer.kind, answer.target) == (ANSWER, "mattermost:@alice-id/e1")
    assert post.target == "mattermost:c1"


def test_a_call_of_a_program_is_of_nobody_and_of_nowhere() -> None:
    bot = Collector(happened("hook"))
    with pytest.raises(ValueError, match="nobody waits"):
        bot.answer("thanks")
    with pytest.raises(ValueError, match="hook is of no channel: say it with post"):
        bot.reply("thanks")
    assert bot.effects == []
    outgoing = posted()._replace(name="hook", event_type="hook")
    bot = Collector(outgoing)
    bot.answer("thanks")
    assert payload(bot)["kind"] == "hook"


def test_who_says_nothing_answers_nothing() -> None:
    bot = Collector(commanded())
    assert bot.effects == [] and bot.writes == []


def test_what_only_one_person_sees_only_that_person_may_press() -> None:
    for in_channel, users in ((False, ("alice-id",)), (True, ())):
        bot = Collector(commanded())
        bot.answer("pick", in_channel=in_channel, cards=CARDS)
        (grant,) = only(bot).grants
        assert grant.users == users
        control = payload(bot)["cards"][0]["controls"][0]
        assert control["ref"] == grant.ref


def test_an_update_tells_the_whole_message_anew() -> None:
    bot = Collector(pressed())
    bot.update("page 1")
    bot.update("page 2", cards=CARDS)
    told = payload(bot)
    assert told["post_id"] == "p1"
    assert told["update"]["message"] == "page 2"
    assert len(told["update"]["cards"]) == 1
    bot = Collector(pressed())
    bot.update("over")
    assert payload(bot)["update"] == {"message": "over", "cards": []}


def test_what_one_person_alone_sees_is_said_anew() -> None:
    bot = Collector(pressed(data={"is_ephemeral": True}))
    bot.update("page 2", cards=CARDS)
    told, (grant,) = payload(bot), only(bot).grants
    assert "update" not in told
    assert told["message"] == "page 2"
    assert told["cards"][0]["controls"][0]["ref"] == grant.ref
    assert (grant.channel_id, grant.users) == ("", ("alice-id",))


@pytest.mark.parametrize("event", [commanded(), filled_in(), posted()])
def test_only_who_pressed_a_button_has_a_message_to_update(event: Event) -> None:
    with pytest.raises(ValueError, match="no message was pressed"):
        Collector(event).update("page 2")


def test_a_message_is_answered_otherwise() -> None:
    with pytest.raises(ValueError, match="posted is nothing to answer: say it with"):
        Collector(posted()).answer("hi")


def test_a_refused_dialog_stays_open_and_may_be_sent_again() -> None:
    bot = Collector(filled_in(data={"ref": "r1"}))
    bot.refuse(days="a number, please")
    bot.refuse("not now", until="in the past")
    told = payload(bot)
    assert told["error"] == "not now"
    assert told["errors"] == {"days": "a number, please", "until": "in the past"}
    assert bot.writes == [GiveBack("r1", "e1")]


def test_a_refused_button_is_as_unpressed_and_who_pressed_is_told() -> None:
    bot = Collector(pressed(data={"ref": "r1"}))
    bot.refuse("you may not")
    assert payload(bot)["message"] == "you may not"
    assert "error" not in payload(bot)
    assert bot.writes == [GiveBack("r1", "e1")]


def test_a_refused_command_is_answered() -> None:
    bot = Collector(commanded())
    bot.refuse("you may not")
    assert payload(bot)["message"] == "you may not"
    assert bot.writes == []
