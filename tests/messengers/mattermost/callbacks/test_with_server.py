"""Commands, buttons, menus and dialogs, with a server that does what was recorded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from malexbot.config.mattermost import Mattermost as Settings
from malexbot.events import Event
from malexbot.messengers.mattermost.callbacks.doors import doors
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.link import Link
from malexbot.messengers.mattermost.messenger import Server
from malexbot.pipeline.controls import Place, lay_out, lay_out_dialog
from malexbot.ports import (
    Button,
    Card,
    Dialog,
    Door,
    Field,
    KeptCommand,
    Menu,
    Option,
)
from malexbot.sandbox.fixtures import Mattermost, mattermost
from malexbot.sandbox.refusals import Refusal
from malexbot.web.callbacks import mount_callbacks
from tests.support.commands import MemoryCommands
from tests.support.grants import MemoryGrants
from tests.web.test_server import serving

__all__ = ["mattermost"]

Answer = Mapping[str, Any]
Handler = Callable[["Bot", Event], Answer | None]


class Bot:
    """A desk whose handlers answer at once, and what they need for that."""

    def __init__(self, mattermost: Mattermost) -> None:
        self.town = mattermost.town
        self.grants = MemoryGrants(lambda: 0.0)
        self.commands = MemoryCommands()
        self.events: list[Event] = []
        self.written: list[str] = []
        self.handlers: dict[str, Handler] = {}
        self.doors: dict[str, Door] = {}
        self._url = mattermost.url
        # It reaches us at a port that is known once we serve.
        self.open("http://127.0.0.1:1")

    def open(self, public_url: str, **settings: Any) -> None:
        told = {"http_host": self._url, "token": self.town.token, **settings}
        self.close()
        self.public_url = public_url
        self.server = Server(Settings.model_validate(told), public_url=public_url)
        knock = doors(
            self.server, desk=self, grants=self.grants, commands=self.commands
        )
        self.doors.update(knock)

    def close(self) -> None:
        if "server" in vars(self):
            self.server.client.link.close()

    def ask(self, event: Event, wait_s: float) -> Answer | None:
        self.events.append(event)
        name = event.event_type
        if event.button:
            name = event.button.beid
        if event.form:
            name = event.form.name
        ref = event.data.get("ref")
        if ref and not self.grants.take(ref, event_id=event.event_id):
            return {"message": "somebody was faster"}
        return self.handlers[name](self, event)

    def note_written(self, event_id: str) -> None:
        self.written.append(event_id)

    def cards(self, *controls: Button | Menu, user: str = "") -> list[Any]:
        """For the channel, or for this person alone."""
        here = Place("demo", self.town.channel)
        place = Place("demo", users=[user]) if user else here
        laid = lay_out([Card("card", controls=controls)], place)
        self.grants.make(laid.grants)
        return laid.cards

    def open_dialog(self, event: Event, dialog: Dialog) -> None:
        place = Place("demo", event.peer.bpid, (event.user.uuid,))
        told, grant = lay_out_dialog(dialog, place)
        self.grants.make([grant])
        trigger_id = event.data["trigger_id"]
        self.server.chat.open_dialog({**told, "trigger_id": trigger_id})

    def post(self, **payload: Any) -> str:
        where = {"channel_id": self.town.channel, "message": "?"}
        return self.server.chat.send({**where, **payload}, key="k").post_id


@pytest.fixture
def bot(mattermost: Mattermost) -> Iterator[Bot]:
    bot = Bot(mattermost)
    with serving(lambda application: mount_callbacks(application, bot.doors)) as (
        web,
        _,
    ):
        bot.open(f"http://127.0.0.1:{(web.address or ('', 0))[1]}")
        yield bot
    bot.close()


@pytest.fixture
def command(bot: Bot, mattermost: Mattermost) -> str:
    """/go, which is registered."""
    town, url = mattermost.town, f"{bot.public_url}/slash"
    made = mattermost.acts.add_command(town.team, "go", url, town.admin)
    bot.commands.keep(
        KeptCommand.of(
            id=made["id"], team_id=town.team, trigger="go", token=made["token"]
        )
    )
    return "/go"


def said(mattermost: Mattermost) -> list[str]:
    return [entry.text for entry in mattermost.ledger.entries()]


def test_a_command_gets_buttons_and_a_press_changes_them(
    bot: Bot, command: str, mattermost: Mattermost
) -> None:
    town, acts = mattermost.town, mattermost.acts
    bot.handlers["command"] = lambda bot, event: {
        "message": f"Deploy to {event.command.text if event.command else ''}?",
        "in_channel": True,
        "cards": bot.cards(Button("yes", "Yes", payload={"n": 7}), Button("no", "No")),
    }
    bot.handlers["demo.yes"] = lambda bot, event: {
        "update": {"message": f"done by {event.user.nick}", "cards": []},
        "message": "thanks",
    }
    acts.execute(town.alice, town.channel, f"{command} prod")
    assert said(mattermost) == ["Deploy to prod?"]
    (entry,) = mattermost.ledger.entries()
    yes, no = acts.actions(entry.id)
    acts.press(town.bob, entry.id, yes["id"])
    event = bot.events[-1]
    assert event.button is not None and event.button.payload == {"n": 7}
    assert event.user.uuid == town.bob
    (entry,) = mattermost.ledger.entries()
    assert entry.text == "done by bob"
    assert acts.actions(entry.id) == []
    assert [row["message"] for row in acts.whispers(town.bob)] == ["thanks"]
    with pytest.raises(Refusal):
        acts.press(town.bob, entry.id, no["id"])


def test_a_press_on_what_one_person_sees_is_no_error(
    bot: Bot, command: str, mattermost: Mattermost
) -> None:
    """The server cannot change it, and says so to who pressed."""
    town, acts = mattermost.town, mattermost.acts
    bot.handlers["command"] = lambda bot, event: {
        "message": "pick",
        "cards": bot.cards(Button("next", "Next"), user=town.alice),
    }
    bot.handlers["demo.next"] = lambda bot, event: {
        "update": {"message": "page 2", "cards": []},
        "message": "thanks",
    }
    acts.execute(town.alice, town.channel, command)
    (whisper,) = acts.whispers(town.alice)
    (action,) = acts.actions(whisper["id"])
    acts.press(town.alice, whisper["id"], action["id"])
    assert bot.events[-1].data["is_ephemeral"]
    assert acts.whispers(town.alice)[-1]["message"] == "page 2\nthanks"


def test_a_press_changes_a_post_that_was_sent_a_moment_ago(
    bot: Bot, mattermost: Mattermost
) -> None:
    """Nobody has written down yet that it was: it looks like what one person sees."""
    town, acts = mattermost.town, mattermost.acts
    bot.handlers["demo.next"] = lambda bot, event: {
        "update": {"message": "page 3", "cards": []}
    }
    cards = bot.cards(Button("next", "Next"), user=town.alice)
    post_id = bot.post(channel_id=town.direct, message="page 2", cards=cards)
    (action,) = acts.actions(post_id)
    acts.press(town.alice, post_id, action["id"])
    (entry,) = mattermost.ledger.entries()
    assert entry.text == "page 3"


def test_buttons_work_again_after_an_update_and_an_edit(
    bot: Bot, mattermost: Mattermost
) -> None:
    town, acts = mattermost.town, mattermost.acts
    bot.handlers["demo.more"] = lambda bot, event: {
        "update": {"message": "more", "cards": bot.cards(Button("more", "More"))}
    }
    post_id = bot.post(cards=bot.cards(Button("more", "More")))
    for _ in range(3):
        (action,) = acts.actions(post_id)
        acts.press(town.alice, post_id, action["id"])
        bot.server.chat.edit({"post_id": post_id, "message": "edited"})
        with pytest.raises(Refusal):
            acts.press(town.alice, post_id, action["id"])
    assert len(bot.events) == 3


def test_two_who_press_at_once_are_told_who_was_faster(
    bot: Bot, mattermost: Mattermost
) -> None:
    town, acts = mattermost.town, mattermost.acts
    bot.handlers["demo.ok"] = lambda bot, event: {}
    post_id = bot.post(cards=bot.cards(Button("ok", "OK")))
    (action,) = acts.actions(post_id)
    acts.press(town.alice, post_id, action["id"])
    with pytest.raises(Refusal) as refused:
        acts.press(town.bob, post_id, action["id"])
    assert "action_integration" in refused.value.id
    assert len(bot.events) == 1


def test_what_is_chosen_in_a_menu_arrives(bot: Bot, mattermost: Mattermost) -> None:
    town, acts = mattermost.town, mattermost.acts
    bot.handlers["demo.pick"] = lambda bot, event: {"message": event.data["choice"]}
    options = [Option("One", "1"), Option("Two", "2")]
    menus = [Menu("pick", "Pick", options), Menu("pick", "Who", source="users")]
    post_id = bot.post(cards=bot.cards(*menus))
    pick, who = acts.actions(post_id)
    acts.press(town.alice, post_id, pick["id"], option="2")
    acts.press(town.alice, post_id, who["id"], option=town.bob)
    assert [row["message"] for row in acts.whispers(town.alice)] == ["2", town.bob]
    for option in ("3", ""):
        with pytest.raises(Refusal):
            acts.press(town.alice, post_id, pick["id"], option=option)
    assert len(bot.events) == 2


def test_a_dialog_is_filled_in_wrongly_and_then_rightly(
    bot: Bot, command: str, mattermost: Mattermost
) -> None:
    town, acts = mattermost.town, mattermost.acts
    fields = [Field("name", "Name", min_length=2), Field("why", "Why", kind="textarea")]

    def ask(bot: Bot, event: Event) -> Answer:
        bot.open_dialog(event, Dialog("request", "Request", fields, tells_cancel=True))
        return {}

    def take(bot: Bot, event: Event) -> Answer:
        assert event.form is not None
        if event.form.is_cancelled or event.form.values["name"] != "x":
            return {}
        bot.grants.give_back(event.data["ref"], event.event_id)
        return {"errors": {"name": "too short"}, "error": "Not yet."}

    bot.handlers |= {"command": ask, "demo.request": take}
    acts.execute(town.alice, town.channel, command)
    (dialog,) = acts.dialogs(town.alice)
    assert [each["name"] for each in dialog["dialog"]["elements"]] == ["name", "why"]
    told = acts.submit(dialog["id"], town.channel, {"name": "x", "why": None})
    assert told == {"errors": {"name": "too short"}, "error": "Not yet."}
    assert acts.submit(dialog["id"], town.channel, {"name": "xy", "why": "z"}) == {}
    form = bot.events[-1].form
    assert form is not None and form.values == {"name": "xy", "why": "z"}
    assert bot.events[-1].user.nick == "alice", "the server does not say it there"
    with pytest.raises(Refusal):
        acts.submit(dialog["id"], town.channel, {"name": "xy"})
    acts.execute(town.alice, town.channel, command)
    acts.submit(acts.dialogs(town.alice)[-1]["id"], town.channel, is_cancelled=True)
    form = bot.events[-1].form
    assert form is not None and form.is_cancelled


def test_who_fills_in_a_dialog_is_asked_for_by_a_bot_that_was_started_anew(
    bot: Bot, command: str, mattermost: Mattermost
) -> None:
    town, acts = mattermost.town, mattermost.acts

    def ask(bot: Bot, event: Event) -> Answer:
        bot.open_dialog(event, Dialog("request", "Request", [Field("name", "Name")]))
        return {}

    bot.handlers |= {"command": ask, "demo.request": lambda bot, event: {}}
    acts.execute(town.alice, town.channel, command)
    bot.open(bot.public_url)
    (dialog,) = acts.dialogs(town.alice)
    acts.submit(dialog["id"], town.channel, {"name": "xy"})
    assert bot.events[-1].user.nick == "alice"


@pytest.mark.parametrize(
    ("locale", "told"),
    [("en", "One moment…"), ("ru", "Минуту…"), ("de", "One moment…")],
)
def test_who_has_to_wait_is_told_so_in_their_language(
    bot: Bot, command: str, mattermost: Mattermost, locale: str, told: str
) -> None:
    town, acts = mattermost.town, mattermost.acts
    token = mattermost.scene.add_token(town.alice)
    link = Link(url=f"{mattermost.url}/api/v4", token=token)
    Client(link).call("put", "/users/me/patch", options={"locale": locale})
    link.close()
    bot.handlers["command"] = lambda bot, event: None
    acts.execute(town.alice, town.channel, command)
    assert [row["message"] for row in acts.whispers(town.alice)] == [told]


def test_a_long_answer_arrives_whole(
    bot: Bot, command: str, mattermost: Mattermost
) -> None:
    town = mattermost.town
    text = "\n".join("y" * 99 for _ in range(400))
    bot.handlers["command"] = lambda bot, event: {"message": text, "in_channel": True}
    mattermost.acts.execute(town.alice, town.channel, command)
    assert "".join(said(mattermost)).count("y") == text.count("y")


def test_text_is_not_read_as_slack_would(
    bot: Bot, command: str, mattermost: Mattermost
) -> None:
    town, text = mattermost.town, "<http://a|b> <!channel> a < b"
    bot.handlers["command"] = lambda bot, event: {"message": text, "in_channel": True}
    mattermost.acts.execute(town.alice, town.channel, command)
    assert said(mattermost) == [text]


@pytest.mark.parametrize("is_json", [True, False])
def test_an_outgoing_webhook_is_answered_in_its_thread(
    bot: Bot, mattermost: Mattermost, is_json: bool
) -> None:
    town = mattermost.town
    bot.handlers["hook"] = lambda bot, event: {"message": "heard"}
    token = mattermost.acts.add_outgoing_hook(
        town.team,
        f"{bot.public_url}/hooks/outgoing",
        town.admin,
        words=["#go"],
        is_json=is_json,
    )
    bot.open(bot.public_url, outgoing_tokens={"ops": token})
    question = mattermost.scene.post(town.channel, town.alice, "#go on")
    until, pause = time.monotonic() + 20, threading.Event()
    while not (answers := mattermost.ledger.answers(question)):
        assert time.monotonic() < until
        pause.wait(0.01)
    assert [answer.text for answer in answers] == ["heard"]
    event = bot.events[-1]
    assert event.message is not None and event.message.text == "#go on"
    assert event.data["hook"] == "ops"
