"""Events go where the rules say, each target by a job in a lane of its own."""

from __future__ import annotations

from typing import Any

import pytest

from malexbot.bus import read
from malexbot.config.model import Config
from malexbot.config.routes import DELIVERED, TOLD, RouteRule, Routing
from malexbot.consumers.parcel import HTTP, REDIS
from malexbot.errors import Permanent
from malexbot.events import Command, Event
from malexbot.pipeline.effects import POST, Collector
from malexbot.ports import Effect, Occasion
from malexbot.processors import build, builtin
from malexbot.processors.route import BUTTON_S, Route
from tests.support import events as support
from tests.support.events import posted, reacted

NEW = Occasion(age_s=0)


def rule(name: str, *to: str, **more: Any) -> RouteRule:
    """Of any targets, also such as nobody delivers to."""
    known = {"name": name, "to": to, "when": "", "text": TOLD, "goes_on": False}
    return RouteRule.model_construct(**{**known, **more})


def routing(*default: str, **more: Any) -> Routing:
    return Routing.model_construct(default=default, **more)


def route(*rules: RouteRule, of: Routing | None = None) -> Route:
    return Route(rules, of or Routing())


def handed_on(processor: Route, event: Event, occasion: Occasion = NEW) -> list[Effect]:
    bot = Collector(event)
    if processor.wants(event, occasion):
        processor.handle(event, occasion, bot)
    return bot.effects


def targets(processor: Route, event: Event) -> list[str]:
    return [effect.target for effect in handed_on(processor, event)]


def pressed() -> Event:
    return support.pressed("yes", payload={"n": 1})


def command() -> Event:
    return support.commanded("eve")._replace(command=Command("/ban", "eve"))


def test_the_first_rule_that_fits_takes_it() -> None:
    processor = route(
        rule("no", "redis:no", when="event.message.text == 'bye'"),
        rule("first", "redis:first", "http:first"),
        rule("second", "redis:second"),
    )
    assert targets(processor, posted()) == ["redis:first", "http:first"]
    assert targets(processor, posted(text="bye")) == ["redis:no"]


def test_a_rule_that_continues_lets_the_next_be_asked() -> None:
    processor = route(
        rule("log", "redis:log", goes_on=True),
        rule("first", "redis:first"),
        rule("second", "redis:second"),
    )
    assert targets(processor, posted()) == ["redis:log", "redis:first"]


def test_what_no_rule_takes_makes_no_job() -> None:
    processor = route(rule("never", "redis:a", when="false"))
    assert not processor.wants(posted(), NEW)


def test_the_default_is_for_what_no_rule_takes() -> None:
    taken = rule("taken", "redis:a", when="event.message.text == 'a'", goes_on=True)
    processor = route(taken, of=routing("redis:rest"))
    assert targets(processor, posted(text="a")) == ["redis:a"]
    (rest,) = handed_on(processor, posted(text="b"))
    assert (rest.target, rest.payload["rule"]) == ("redis:rest", "default")


def test_strict_makes_what_nobody_takes_an_error() -> None:
    never = rule("never", "redis:a", when="false")
    processor = route(never, of=routing(strict=True))
    with pytest.raises(Permanent, match="no rule takes it"):
        handed_on(processor, posted())
    assert targets(route(never, of=routing("redis:b", strict=True)), posted()) == [
        "redis:b"
    ]


def test_a_target_gets_the_event_as_the_bus_has_it() -> None:
    event = posted("p1", "hi")
    (effect,) = handed_on(route(rule("all", "redis:{{ event.event_type }}")), event)
    assert (effect.kind, effect.target) == ("redis", "redis:message")
    payload = dict(effect.payload)
    told = read(payload.pop("event"))
    assert payload == {"to": "redis:message", "rule": "all", "id": "p1", "schema": 1}
    assert (told.event_id, told.message) == ("p1", event.message)


def test_a_slash_command_is_a_message_to_rules_and_readers() -> None:
    is_ban = "event.event_type == 'command' and event.message.text.startswith('/ban')"
    (effect,) = handed_on(route(rule("bans", "redis:commands", when=is_ban)), command())
    assert effect.payload["event"]["message"]["text"] == "/ban eve"


def test_a_target_is_told_once_however_many_rules_name_it() -> None:
    processor = route(
        rule("a", "redis:x", "redis:{{ event.message.text }}", goes_on=True),
        rule("b", "redis:x", "http:x"),
    )
    assert targets(processor, posted(text="x")) == ["redis:x", "http:x"]


def test_a_channel_is_told_in_words() -> None:
    processor = route(rule("a", "mattermost:c2"))
    (effect,) = handed_on(processor, posted(text="hi"))
    assert (effect.kind, effect.target) == (POST, "mattermost:c2")
    assert effect.payload["channel_id"] == "c2"
    assert effect.payload["message"] == "alice: hi"
    own = route(rule("a", "mattermost:{{ event.peer.bpid }}", text="{{ event.name }}"))
    (effect,) = handed_on(own, posted())
    assert (effect.target, effect.payload["message"]) == ("mattermost:c1", "posted")


def test_buttons_wait_behind_no_messages() -> None:
    processor = route(rule("all", "redis:all"))
    (message,) = handed_on(processor, posted())
    (button,) = handed_on(processor, pressed())
    assert message.payload["to"] == button.payload["to"] == "redis:all"
    assert message.target != button.target


def test_a_button_is_tried_for_50_seconds_and_then_expires() -> None:
    processor = route(rule("all", "redis:all"))
    ages = {0.0: BUTTON_S, 20.0: BUTTON_S - 20, 60.0: 0.0}
    for age_s, left_s in ages.items():
        (effect,) = handed_on(processor, pressed(), Occasion(age_s))
        assert effect.terms.max_age_s == left_s
    (message,) = handed_on(processor, posted(), Occasion(60))
    assert message.terms.max_age_s == Routing().give_up_after


def test_it_is_given_up_after_what_the_operator_says() -> None:
    patient = route(rule("a", "redis:a"), of=routing(give_up_after=5.0, max_age=7.0))
    assert patient.max_age_s == 7
    for event in (posted(), pressed()):
        (effect,) = handed_on(patient, event)
        assert effect.terms.max_age_s == 5


def test_each_target_is_given_up_in_its_own_time() -> None:
    left = {"redis:a": 5.0, "http:b": 70.0}
    rules = [rule("a", "redis:a", "http:b")]
    processor = Route(rules, Routing(), patience_s=left.__getitem__)
    ages = [e.terms.max_age_s for e in handed_on(processor, posted())]
    assert ages == [5, 70]
    ages = [e.terms.max_age_s for e in handed_on(processor, pressed())]
    assert ages == [5, BUTTON_S]


def test_what_was_said_pings_nobody_where_it_is_handed_on() -> None:
    processor = route(
        rule("a", "vk:2000000001", "mattermost:c2", "http:{{ event.message.text }}")
    )
    told = handed_on(processor, posted(text="@online,@channel"))
    quiet = "@\N{ZERO WIDTH SPACE}"
    assert [effect.payload.get("message") for effect in told] == [
        f"alice: {quiet}online,@channel",
        f"alice: @online,{quiet}channel",
        None,
    ]
    assert told[2].target == "http:@online,@channel"


@pytest.mark.parametrize("text", ["", "two words", " ", ":x", "\x07", "x" * 300])
def test_a_name_that_is_none_is_shown_and_nothing_is_sent(text: str) -> None:
    processor = route(rule("a", "redis:good", "redis:{{ event.message.text }}"))
    bot = Collector(posted(text=text))
    with pytest.raises(Permanent, match="'a'.*comes to no name"):
        processor.handle(posted(text=text), NEW, bot)
    assert processor.wants(posted(text=text), NEW)


def test_text_that_cannot_be_worked_out_is_shown() -> None:
    processor = route(rule("a", "mattermost:c", text="{{ 'x' * event.occurred_at }}"))
    with pytest.raises(Permanent, match="the rule 'a'"):
        handed_on(processor, posted())


def test_a_condition_that_fails_is_no() -> None:
    processor = route(rule("a", "redis:a", when="event.message.text / 2 > 1"))
    assert not processor.wants(posted(), NEW)


def test_reactions_are_routed_too() -> None:
    at_all = rule("a", "redis:{{ event.event_type }}", when="event.reaction.rid")
    assert targets(route(at_all), reacted()) == ["redis:reaction"]


def test_it_is_made_from_the_settings() -> None:
    config = Config.model_validate(
        {
            "mattermost": {
                "http_host": "http://localhost",
                "token": "abc",
                "target_events_processors": {"posted": ["route"]},
            },
            "routes": [{"name": "a", "to": "mattermost:c9"}],
        }
    )
    (processor,) = build(config, builtin())["posted"]
    assert isinstance(processor, Route)
    assert targets(processor, posted()) == ["mattermost:c9"]


@pytest.mark.parametrize("scheme", DELIVERED)
def test_what_is_let_in_is_of_a_kind_that_somebody_does(scheme: str) -> None:
    """Whoever lets a further one in wires who delivers it."""
    (effect,) = handed_on(route(rule("a", f"{scheme}:x")), posted())
    assert effect.kind in {POST, REDIS, HTTP}
