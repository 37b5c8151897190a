from __future__ import annotations

from typing import Any

import pytest

from malexbot.config.responses import ResponseRule
from malexbot.events import Event
from malexbot.pipeline.effects import POST, REACT, Collector
from malexbot.ports import Effect, Occasion
from malexbot.processors.response import Response
from tests.support.events import happened, posted

NEW = Occasion(age_s=0)


def response(*rules: dict[str, Any]) -> Response:
    return Response([ResponseRule.model_validate(rule) for rule in rules])


def answers(
    processor: Response, event: Event, occasion: Occasion = NEW
) -> list[Effect]:
    bot = Collector(event)
    if processor.wants(event, occasion):
        processor.handle(event, occasion, bot)
    return bot.effects


def texts(processor: Response, event: Event, occasion: Occasion = NEW) -> list[str]:
    return [e.payload["message"] for e in answers(processor, event, occasion)]


def test_a_rule_answers_what_it_is_about() -> None:
    rule = {"when": "'ping' in event.message.text", "reply": "pong {{event.user.nick}}"}
    processor = response(rule)
    assert texts(processor, posted(text="ping!")) == ["pong alice"]
    assert not processor.wants(posted(text="hello"), NEW)


def test_an_answer_pings_everybody_only_by_its_own_words() -> None:
    processor = response({"reply": "@here, they said: {{ event.message.text }}"})
    (said,) = texts(processor, posted(text="@here"))
    assert said == "@here, they said: @\N{ZERO WIDTH SPACE}here"


def test_every_rule_that_fits_answers_in_their_order() -> None:
    processor = response(
        {"reply": "one"}, {"when": "false", "reply": "two"}, {"reply": "three"}
    )
    assert texts(processor, posted()) == ["one", "three"]


def test_an_answer_goes_to_the_channel_or_the_thread_of_the_question() -> None:
    processor = response({"reply": "here"})
    (plain,) = answers(processor, posted())
    (inside,) = answers(processor, posted("p2", root_id="p1"))
    assert plain.payload == {"channel_id": "c1", "root_id": "", "message": "here"}
    assert inside.payload["root_id"] == "p1"


def test_with_thread_it_goes_below_the_question() -> None:
    processor = response({"reply": "here", "thread": True})
    (below,) = answers(processor, posted("p1"))
    (inside,) = answers(processor, posted("p2", root_id="p1"))
    assert below.payload["root_id"] == inside.payload["root_id"] == "p1"


def test_a_rule_may_react_besides_or_instead() -> None:
    effects = answers(response({"react": ":eyes:", "reply": "seen"}), posted())
    assert [effect.kind for effect in effects] == [REACT, POST]
    assert effects[0].payload == {"channel_id": "c1", "post_id": "p1", "emoji": "eyes"}
    assert effects[0].target == effects[1].target == "mattermost:c1"


def test_direct_messages_are_answered_by_rules_that_say_so() -> None:
    processor = response(
        {"reply": "public"}, {"reply": "both", "direct": True, "when": "true"}
    )
    assert texts(processor, posted(), Occasion(0, is_direct=True)) == ["both"]
    assert texts(processor, posted()) == ["public", "both"]


def test_other_bots_are_ignored_unless_asked_for() -> None:
    processor = response({"reply": "people"}, {"reply": "all", "bots": True})
    assert texts(processor, posted(by_bot=True)) == ["all"]


@pytest.mark.parametrize(("age_s", "told"), [(30, ["a", "b"]), (90, ["b"]), (601, [])])
def test_what_is_too_old_for_a_rule_is_not_answered_by_it(
    age_s: float, told: list[str]
) -> None:
    processor = response({"reply": "a", "max_age": "1m"}, {"reply": "b"})
    assert processor.max_age_s == 600
    assert texts(processor, posted(), Occasion(age_s)) == told


def test_an_answer_grows_old_with_its_question() -> None:
    (effect,) = answers(response({"reply": "a"}), posted(), Occasion(100))
    assert effect.terms.max_age_s == 500


def test_a_cooldown_is_kept_by_the_queue_for_the_rule_and_its_channel() -> None:
    rule = {"when": "event.message", "reply": "a", "cooldown": "5m"}
    (first,) = answers(response(rule), posted())
    (moved,) = answers(response({"react": "eyes", "when": "false"}, rule), posted("p2"))
    (elsewhere,) = answers(response(rule), posted(channel_id="c2"))
    (changed,) = answers(response({**rule, "reply": "b"}), posted())
    assert first.terms.quiet_s == 300
    assert first.terms.quiet_key == moved.terms.quiet_key != ""
    others = {elsewhere.terms.quiet_key, changed.terms.quiet_key}
    assert first.terms.quiet_key not in others
    assert len(others) == 2


def test_a_reply_that_cannot_be_worked_out_keeps_the_others_and_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    processor = response({"reply": "{{ event.message.text + 1 }}"}, {"reply": "b"})
    assert texts(processor, posted()) == ["b"]
    assert texts(processor, posted("p2")) == ["b"]
    assert len(caplog.records) == 1
    assert "response to p1" in caplog.text


def test_an_empty_reply_says_nothing() -> None:
    processor = response({"reply": "{% if event.reaction %}never{% endif %}"})
    assert answers(processor, posted()) == []


def test_what_has_no_message_gets_no_reaction() -> None:
    welcome = response({"react": "wave", "reply": "welcome"})
    (effect,) = answers(welcome, happened("user_added", "c1"))
    assert effect.payload["message"] == "welcome"
