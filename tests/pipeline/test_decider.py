from __future__ import annotations

from typing import Any

import pytest

from malexbot.events import Event, Peer, User
from malexbot.pipeline.audience import Audience, Heard
from malexbot.pipeline.decider import Decider, Unaware
from malexbot.ports import Entry, Occasion, Processor
from malexbot.processors.log import Log
from malexbot.processors.save import Save
from tests.support.events import (
    BOT,
    NOW,
    commanded,
    deleted,
    edited,
    filled_in,
    happened,
    posted,
    pressed,
    reacted,
)

HEARD = Heard(own_id=BOT, channels=frozenset({"c1"}))


class Answer(Processor):
    """Wants everything, direct messages only if told so."""

    name = "answer"

    def __init__(self, *, direct: bool = False) -> None:
        self.direct = direct
        self.asked: list[tuple[Event, Occasion]] = []

    def wants(self, event: Event, occasion: Occasion) -> bool:
        self.asked.append((event, occasion))
        return self.direct or not occasion.is_direct


def decide(
    event: Event, heard: Heard = HEARD, age_s: float = 0, **events: Any
) -> Entry | None:
    decider = Decider(
        processors=events,
        audience=Audience(heard),
        server_now_ms=lambda: NOW + int(age_s * 1000),
    )
    entry = decider.decide(event)
    return Entry(event, False) if isinstance(entry, Event) else entry


def test_what_only_moves_a_mark_comes_back_as_it_is() -> None:
    decider = Decider(
        processors={"posted": [Save(contains=["deploy"])]},
        audience=Audience(HEARD),
        server_now_ms=lambda: NOW,
    )
    said = posted(text="other")
    assert decider.decide(said) is said
    assert isinstance(decider.decide(edited(text="other")), Entry)
    assert isinstance(decider.decide(posted(text="deploy")), Entry)


def test_a_post_is_kept_if_save_says_so() -> None:
    save = Save(contains=["deploy"])
    assert decide(posted(text="deploy"), posted=[save]) == Entry(
        posted(text="deploy"), True, ()
    )
    other = decide(posted(text="other"), posted=[save])
    assert other is not None
    assert not other.keeps


def test_without_save_nothing_is_kept() -> None:
    entry = decide(posted(), posted=[Log()])
    assert entry is not None
    assert not entry.keeps


def unwanted(event: Event, **events: Any) -> Entry | None:
    decider = Decider(
        processors=events,
        audience=Audience(HEARD),
        server_now_ms=lambda: NOW,
        is_wanted=lambda event: False,
    )
    entry = decider.decide(event)
    assert not isinstance(entry, Event)
    return entry


@pytest.mark.parametrize("event", [posted(), edited(), deleted()])
def test_what_is_not_wanted_the_archive_does_not_hear_of(event: Event) -> None:
    assert unwanted(event, posted=[Save()]) is None


def test_what_is_not_wanted_may_be_acted_on_and_is_not_kept() -> None:
    assert unwanted(edited(), posted=[Save()], post_edited=[Answer()]) == Entry(
        edited(), False, ["answer"]
    )


def test_who_is_listened_to_changes_at_once() -> None:
    audience = Audience(HEARD)
    decider = Decider(
        processors={"posted": [Save()]}, audience=audience, server_now_ms=lambda: NOW
    )
    assert decider.decide(posted(channel_id="c2")) is None
    audience.hear(frozenset({"c2"}))
    assert decider.decide(posted(channel_id="c2")) is not None
    assert decider.decide(posted(channel_id="c1")) is None
    assert audience.now.own_id == BOT


def test_listen_channels_bounds_every_processor() -> None:
    everyone = [Log(), Save(), Answer(direct=True)]
    elsewhere = posted(channel_id="c2")
    assert decide(elsewhere, posted=everyone) is None
    assert decide(happened("user_added", "c2"), user_added=everyone) is None
    assert decide(happened("user_added", "c1"), user_added=everyone) is not None


def test_what_belongs_to_no_channel_is_for_everybody() -> None:
    assert decide(happened("hello"), hello=[Log()]) is not None


def test_what_nobody_wants_is_not_even_written() -> None:
    assert decide(happened("typing", "c1"), posted=[Save()]) is None
    assert decide(happened("hello"), hello=[Save()]) is None


@pytest.mark.parametrize("kind", ["D", "G"])
def test_a_direct_message_is_for_those_who_want_it_and_not_archived(kind: str) -> None:
    said = posted(channel_id="dm", data={"channel_type": kind})
    entry = decide(said, posted=[Save(), Answer(direct=True)])
    assert entry == Entry(said, False, ["answer"])
    assert decide(said, posted=[Save(), Answer(direct=False)]) is None


def test_a_direct_channel_that_is_listened_to_is_archived() -> None:
    heard = HEARD._replace(channels={"dm"}, direct={"dm"})
    answer = Answer()
    entry = decide(posted(channel_id="dm"), heard, posted=[Save(), answer])
    assert entry is not None
    assert entry.keeps
    assert not entry.processors
    assert answer.asked[0][1].is_direct


@pytest.mark.parametrize(
    "event", [edited(), deleted(), reacted(), reacted(emoji=None)], ids=lambda e: e.name
)
def test_the_life_of_posts_is_followed_whatever_the_file_names(event: Event) -> None:
    named = decide(event, posted=[Save()], **{event.name: [Save()]})
    unnamed = decide(event, posted=[Save()])
    assert named == unnamed
    assert unnamed is not None
    assert unnamed.processors == ()


def test_a_post_that_starts_to_match_by_an_edit_is_kept() -> None:
    entry = decide(edited(text="now deploy"), posted=[Save(contains=["deploy"])])
    assert entry is not None
    assert entry.keeps


def test_save_on_edits_alone_keeps_nothing() -> None:
    entry = decide(edited(), post_edited=[Save()])
    assert entry is not None
    assert not entry.keeps


@pytest.mark.parametrize(
    "event",
    [
        deleted(),
        reacted(),
        edited(original_id="p0"),
        edited(delete_at=NOW),
    ],
    ids=["deletion", "reaction", "old version", "deleted while away"],
)
def test_what_ends_or_decorates_a_post_does_not_begin_it(event: Event) -> None:
    entry = decide(event, posted=[Save()])
    assert entry is not None
    assert not entry.keeps


@pytest.mark.parametrize(
    "values",
    [
        {"user_id": BOT},
        {"type": "system_join_channel"},
        {"delete_at": NOW},
        {"original_id": "p0"},
    ],
    ids=["own", "system", "deleted", "old version"],
)
def test_nobody_answers_what_is_ours_the_servers_or_gone(
    values: dict[str, Any],
) -> None:
    answer = Answer()
    entry = decide(posted(**values), posted=[answer])
    assert entry is not None
    assert not entry.processors
    assert answer.asked == []


def test_own_and_system_posts_are_archived_if_they_match() -> None:
    for event in (posted(user_id=BOT), posted(type="system_join_channel")):
        entry = decide(event, posted=[Save()])
        assert entry is not None
        assert entry.keeps


def test_own_posts_are_known_by_user_id_never_by_props() -> None:
    pretends = posted(raw='{"props":{"from_bot":"true"}}')
    entry = decide(pretends, posted=[Answer()])
    assert entry is not None
    assert entry.processors == ["answer"]


def test_before_we_know_who_we_are_nothing_is_answered() -> None:
    heard = HEARD._replace(own_id="")
    entry = decide(posted(), heard, posted=[Answer()])
    assert entry is not None
    assert not entry.processors


def test_a_processor_that_does_not_answer_sees_own_posts() -> None:
    class Route(Answer):
        answers = False

    entry = decide(posted(user_id=BOT), posted=[Route()])
    assert entry is not None
    assert entry.processors == ["answer"]


@pytest.mark.parametrize(("age_s", "wanted"), [(0, 1), (600, 1), (601, 0), (-99, 1)])
def test_an_old_event_makes_no_acting_job_by_the_servers_clock(
    age_s: float, wanted: int
) -> None:
    entry = decide(posted(), age_s=age_s, posted=[Save(), Answer()])
    assert entry is not None
    assert entry.keeps
    assert len(entry.processors) == wanted


def test_each_acting_processor_has_its_own_age() -> None:
    short, long = Answer(), Answer()
    short.name, short.max_age_s = "short", 10
    long.name, long.max_age_s = "long", 1000
    entry = decide(posted(), age_s=100, posted=[short, long])
    assert entry is not None
    assert entry.processors == ["long"]
    assert long.asked[0][1].age_s == 100


def test_only_processors_that_want_the_event_get_a_job() -> None:
    class Never(Answer):
        name = "never"

        def wants(self, event: Event, occasion: Occasion) -> bool:
            return False

    entry = decide(posted(), posted=[Never(), Answer()])
    assert entry is not None
    assert entry.processors == ["answer"]


class Broken(Processor):
    name = "broken"

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def wants(self, event: Event, occasion: Occasion) -> bool:
        raise self.error


@pytest.mark.parametrize("error", [AttributeError("wants"), SystemExit(2)])
def test_a_processor_that_fails_keeps_nobody_else_from_the_event(
    caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    decider = Decider(
        processors={"posted": [Broken(error), Save(), Answer()]},
        audience=Audience(HEARD),
        server_now_ms=lambda: NOW,
    )
    for _ in range(3):
        entry = decider.decide(posted())
        assert entry is not None
        assert (entry.keeps, [*entry.processors]) == (True, ["answer"])
    (record,) = caplog.records
    assert "the processor broken fails" in record.getMessage()
    assert record.exc_info is not None
    decider.adopt({"posted": [Broken(error)]})
    decider.decide(posted())
    assert len(caplog.records) == 2


def test_a_peer_may_have_a_number() -> None:
    event = posted()._replace(peer=Peer(7, 7))
    heard = HEARD._replace(channels=frozenset({7}))
    assert decide(event, heard, posted=[Save()]) is not None


@pytest.mark.parametrize("event", [commanded(), pressed(), filled_in()])
@pytest.mark.parametrize("own_id", [BOT, ""])
def test_what_a_person_asks_of_the_bot_is_heard_wherever_it_comes_from(
    event: Event, own_id: str
) -> None:
    asked = event._replace(peer=Peer("c9", "c9"))
    heard = Heard(own_id=own_id, channels=frozenset({"c1"}))
    entry = decide(asked, heard, **{event.name: [Answer()]})
    assert entry == Entry(asked, False, ["answer"])
    assert decide(asked, heard, posted=[Answer()]) is None


@pytest.mark.parametrize("own_id", [BOT, ""])
@pytest.mark.parametrize("user", ["alice-id", ""])
@pytest.mark.parametrize("name", ["hook", "tick"])
def test_what_comes_to_us_alone_is_nobodys_post(
    name: str, user: str, own_id: str
) -> None:
    called = happened(name, "c9")._replace(event_type=name, user=User(user))
    entry = decide(called, Heard(own_id=own_id), **{name: [Answer()]})
    assert entry == Entry(called, False, ["answer"])


def test_who_is_named_is_told_so() -> None:
    audience, answer = Audience(HEARD), Answer()
    audience.know_self(BOT, "malexbot")
    decider = Decider(
        processors={"posted": [answer]}, audience=audience, server_now_ms=lambda: NOW
    )
    for text in ("@malexbot help", "help"):
        event = posted(text=text)
        decider.decide(event)
        assert decider.occasion(event, answer) == answer.asked[-1][1]
    assert [occasion.is_mention for _, occasion in answer.asked] == [True, False]


def test_what_nobody_can_tell_yet_is_not_answered_as_if_it_were_known() -> None:
    audience, answer, route = Audience(), Answer(), Answer()
    route.answers = False
    decider = Decider(
        processors={"posted": [answer]}, audience=audience, server_now_ms=lambda: NOW
    )
    said, whispered = posted(), posted(data={"channel_type": "D"})
    assert decider.occasion(said, route) == Occasion(0)
    assert decider.occasion(commanded(), answer) == Occasion(0)
    for event in (said, whispered):
        with pytest.raises(Unaware) as raised:
            decider.occasion(event, answer)
        assert raised.value.is_of_target
    audience.know_self(BOT, "malexbot")
    # The channels of before were heard of, the server has not shown them yet.
    audience.hear({"c1"}, None)
    assert decider.occasion(whispered, answer) == Occasion(0, is_direct=True)
    with pytest.raises(Unaware):
        decider.occasion(said, answer)
    audience.hear(set(), {"c1"})
    assert decider.occasion(said, answer) == Occasion(0, is_direct=True)
