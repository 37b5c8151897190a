from __future__ import annotations

import logging
from typing import Any

import pytest

from malexbot.config.model import Config
from malexbot.errors import Misconfigured
from malexbot.ports import Processor
from malexbot.processors import build, builtin
from malexbot.processors.log import Log
from malexbot.processors.save import Save
from malexbot.rules import Condition
from tests.support.events import happened, posted


def configured(events: dict[str, list[str]], **more: Any) -> Config:
    mattermost = {"http_host": "h", "token": "t", "target_events_processors": events}
    return Config.model_validate({"mattermost": mattermost, **more})


def test_each_event_has_its_processors_in_the_order_of_the_file() -> None:
    config = configured({"posted": ["save", "response", "log"], "hello": ["log"]})
    processors = build(config, builtin())
    assert [p.name for p in processors["posted"]] == ["save", "response", "log"]
    assert processors["hello"][0] is processors["posted"][2]


def test_one_that_two_messengers_name_is_one() -> None:
    vk = {
        "token": "t",
        "group_id": 7,
        "target_events_processors": {"message_new": ["log"], "gap": ["log", "route"]},
    }
    processors = build(configured({"posted": ["log"]}, vk=vk), builtin())
    (log,) = processors["posted"]
    assert processors["message_new"] == [log]
    assert processors["gap"][0] is log
    alone = build(Config.model_validate({"vk": vk}), builtin())
    assert [*alone] == ["message_new", "gap"]


def test_without_a_messenger_there_are_none() -> None:
    assert build(Config(), builtin()) == {}


def test_unknown_processors_are_told_all_at_once() -> None:
    config = configured({"posted": ["savee", "juggle"]})
    with pytest.raises(Misconfigured) as raised:
        build(config, builtin())
    assert "no processor 'savee'; did you mean 'save'?" in str(raised.value)
    assert "no processor 'juggle'; known: log, save, response" in str(raised.value)


def test_somebody_elses_processor_is_one_more_in_the_registry() -> None:
    class Juggle(Processor):
        name = "juggle"

    config = configured({"posted": ["juggle"]})
    made = build(config, {**builtin(), "juggle": lambda config: Juggle()})
    assert isinstance(made["posted"][0], Juggle)


def test_log_tells_ids_and_never_words(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    Log().look(posted(text="the secret plan"))
    Log().look(happened("hello"))
    Log().look(posted("p2", origin="backfill"))
    assert [record.getMessage() for record in caplog.records] == [
        "posted p1 channel=c1 user=alice-id",
        "hello 1:hello channel=- user=-",
        "posted p2 channel=c1 user=alice-id (backfill)",
    ]


@pytest.mark.parametrize(
    ("contains", "keeps"),
    [
        ((), True),
        (("",), True),
        (("deploy",), True),
        (("Deploy",), False),
        (("report.pdf",), True),
        (("nothing", "plan"), True),
        (("the plan.", "x"), False),
        ((".*",), False),
    ],
)
def test_save_looks_for_plain_text_in_all_that_was_written(
    contains: tuple[str, ...], keeps: bool
) -> None:
    event = posted(text="deploy today", texts=("the plan", "report.pdf"))
    assert Save(contains=contains).keeps(event) is keeps


def test_save_joins_nothing_that_stands_apart() -> None:
    event = posted(text="one", texts=("two",))
    assert not Save(contains=("onetwo", "one two", "one\ntwo")).keeps(event)


def test_save_asks_the_condition_too() -> None:
    save = Save(contains=("a",), when=Condition("event.user.nick == 'alice'"))
    assert save.keeps(posted(text="a"))
    assert not save.keeps(posted(text="b"))
    event = posted(text="a")
    assert not save.keeps(event._replace(user=event.user._replace(nick="bob")))


def test_save_reads_both_filters_from_the_file() -> None:
    config = configured({"posted": ["save"]}, archive={"when": "event.post.root_id"})
    (save,) = build(config, builtin())["posted"]
    assert save.keeps(posted(root_id="r"))
    assert not save.keeps(posted())


def test_what_is_no_post_is_not_kept() -> None:
    assert not Save().keeps(happened("user_added"))
