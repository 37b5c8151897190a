"""A messenger beside the archive's own: decided and acted on by what it is itself."""

from __future__ import annotations

import re
from typing import Any

import pytest

from malexbot.config.responses import ResponseRule
from malexbot.events import Command, Event, Message, Peer, Reaction, User
from malexbot.pipeline.audience import Audience, Heard
from malexbot.pipeline.decider import Decider
from malexbot.pipeline.guard import LoopGuard
from malexbot.pipeline.neighbour import Neighbour
from malexbot.pipeline.runs import RUN, ProcessorRuns
from malexbot.ports import Bot, Entry, Job, Occasion, Processor
from malexbot.processors.log import Log
from malexbot.processors.response import Response
from malexbot.processors.save import Save
from tests.support.events import BOT, NOW, posted
from tests.support.fakes import Clock, MemoryChat

US = -218730916
TOWN = 2_000_000_001
MENTION = re.compile(r"\[club218730916\|")
HEARD = Heard(own_id=US, mention=MENTION, sign="[")


def at_vk(event_type: str = "message", text: str = "hi", **parts: Any) -> Event:
    known: dict[str, Any] = {
        "event_id": "e1",
        "source": "vk",
        "name": "message_new",
        "event_type": event_type,
        "peer": Peer(TOWN, 1),
        "user": User(1001),
        "occurred_at": NOW,
        "origin": "live",
        "connection": 1,
        "raw": b"{}",
        "message": Message(17, text),
    }
    return Event(**{**known, **parts})


class Answer(Processor):
    """Answers all that it is shown, with the names that it has."""

    name = "answer"
    max_age_s = 60.0

    def __init__(self, **more: Any) -> None:
        self.asked: list[Occasion] = []
        vars(self).update(more)

    def wants(self, event: Event, occasion: Occasion) -> bool:
        self.asked.append(occasion)
        return True

    def handle(self, event: Event, occasion: Occasion, bot: Bot) -> None:
        bot.reply(f"hello {event.user.name}")
        bot.tell("mattermost:c1", "x" * 25)


def decider(*, ahead_ms: int = 0, **processors: list[Processor]) -> Decider:
    """`ahead_ms`: how far the neighbour's clock is from the events of these tests."""
    return Decider(
        processors=processors,
        audience=Audience(Heard(BOT, {"c1"})),
        server_now_ms=lambda: NOW + 3_600_000,
        neighbours={"vk": Neighbour(Audience(HEARD), lambda: NOW + ahead_ms)},
    )


def wanted(event: Event, **processors: list[Processor]) -> tuple[str, ...]:
    entry = decider(**processors).decide(event)
    return tuple(entry.processors) if isinstance(entry, Entry) else ()


def test_it_is_heard_everywhere_and_by_its_own_clock() -> None:
    answer = Answer()
    assert wanted(at_vk(), message_new=[answer]) == ("answer",)
    assert answer.asked[0].age_s == 0
    late = decider(ahead_ms=61_000, message_new=[answer])
    assert late.decide(at_vk()) is None
    # A clock that was set back makes nothing old, and nothing negative.
    early = decider(ahead_ms=-3_600_000, message_new=[answer])
    assert early.age_s(at_vk()) == 0


def test_the_archive_has_nothing_of_it() -> None:
    seen: list[Processor] = [Save(), Log()]
    entry = decider(message_new=seen, posted=seen).decide(at_vk())
    assert entry == Entry(at_vk(), False, (), is_archived=False)
    reaction = at_vk("reaction", reaction=Reaction(17, 4), message=None)
    assert decider(posted=[Save()]).decide(reaction) is None


@pytest.mark.parametrize("name", ["message_new", "message_reply", "message_edit"])
def test_what_we_said_there_ourselves_is_left_alone(name: str) -> None:
    said = at_vk(name=name, user=User(US))
    assert wanted(said, **{name: [Answer()]}) == ()
    # Another community is as good as anybody.
    assert wanted(said._replace(user=User(-7)), **{name: [Answer()]}) == ("answer",)


@pytest.mark.parametrize(
    ("text", "is_mention"),
    [
        ("[club218730916|@malexbot] help", True),
        ("[club7|@other] help", False),
        ("@malexbot", False),
        ("218730916", False),
    ],
)
def test_it_is_named_as_vk_writes_that(text: str, is_mention: bool) -> None:
    answer = Answer()
    wanted(at_vk(text=text), message_new=[answer])
    assert answer.asked[0].is_mention is is_mention


def test_what_is_offered_without_being_named_is_offered_it_too() -> None:
    heard, called = Answer(name="heard", events=("posted",)), Answer(
        events=("command",)
    )
    named = Answer(name="named")
    command = at_vk("command", command=Command("/ban", "7"))
    events: dict[str, list[Processor]] = {
        "posted": [heard, named],
        "command": [called, named],
    }
    assert wanted(at_vk(), **events) == ("heard",)
    assert wanted(command, **events) == ("answer",)
    # What is named there as well is asked once.
    assert wanted(at_vk(), **events, message_new=[heard]) == ("heard",)


def test_what_is_the_archives_own_is_not_offered_it() -> None:
    home = Answer(events=("command",), is_at_home=True)
    assert wanted(at_vk("command", command=Command("/malex", "")), command=[home]) == ()
    assert wanted(posted(), posted=[Answer(events=("posted",))]) == ()


def test_what_may_hang_on_names_is_decided_when_there_are_some() -> None:
    rule = {"when": "event.user.nick == 'annalind'", "reply": "hello"}
    response = Response([ResponseRule.model_validate(rule)])
    rest = Answer(decides_again=False)
    rest.wants = lambda event, occasion: False  # type: ignore[method-assign]
    events: dict[str, list[Processor]] = {"message_new": [response, rest]}
    assert wanted(at_vk(), **events) == ("response",)
    boris = at_vk(user=User(1002, nick="boris"), data={"enriched": True})
    assert wanted(boris, **events) == ()
    anna = boris._replace(user=User(1001, nick="annalind"))
    assert wanted(anna, **events) == ("response",)
    assert wanted(posted(), posted=[response]) == ()


def job(event: Event) -> Job:
    return Job(
        id=1,
        key="k",
        kind=RUN,
        name="answer",
        lane="",
        event=event,
        payload={},
        attempts=1,
        failures=0,
        left_s=None,
        sent_ago_s=None,
        epoch=1,
    )


class Held:
    age_s = 0.0

    def check(self) -> None:
        pass


def test_names_are_asked_for_when_it_is_acted_on() -> None:
    """And what is said has the length that its own messenger takes."""
    completed: list[Event] = []

    def complete(event: Event) -> Event:
        completed.append(event)
        return event._replace(user=User(1001, "Anna Lind"))

    runs = ProcessorRuns(
        decider=decider(message_new=[Answer()], posted=[Answer()]),
        chats={
            "mattermost": MemoryChat(Clock(), longest_text=20),
            "vk": MemoryChat(Clock(), longest_text=10),
        },
        guard=LoopGuard(20),
        neighbours={
            "vk": Neighbour(Audience(HEARD), lambda: NOW, complete=complete),
        },
    )
    done = runs(job(at_vk()), Held())  # type: ignore[arg-type]
    told = [(each.target, each.payload["message"]) for each in done.effects]
    assert told == [
        (f"vk:{TOWN}", "hello "),
        (f"vk:{TOWN}", "Anna Lind"),
        ("mattermost:c1", "x" * 20),
        ("mattermost:c1", "x" * 5),
    ]
    assert completed == [at_vk()]
