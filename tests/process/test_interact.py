"""A person who uses the bot: commands, buttons, menus and dialogs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from malexbot.sandbox.daemon import DaemonProcess
from malexbot.sandbox.fixtures import Mattermost, mattermost
from malexbot.sandbox.refusals import Refusal
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from tests.process.conftest import Start
from tests.support.settings import free_port
from tests.support.threads import eventually

__all__ = ["mattermost"]

pytestmark = pytest.mark.untraced

PLUGIN = """
import threading

from malexbot import (
    Bot, Button, Card, Dialog, Event, Field, Menu, Option, action, command, dialog
)

STAGES = [Option("Development", "dev"), Option("Production", "prod")]

@command("/deploy", "deploy to STAGE")
def deploy(event: Event, bot: Bot, stage: str) -> None:
    controls = [
        Button("go", "Go", payload={"stage": stage}, style="primary"),
        Button("no", "No", style="danger"),
    ]
    bot.post(event.peer.bpid, f"deploy to {stage}?", cards=[Card(controls=controls)])

@action("go")
def go(event: Event, bot: Bot, stage: str) -> None:
    count = bot.store.get(stage, 0) + 1
    bot.store.set(stage, count)
    bot.update(f"deployed to {stage}, number {count}")
    bot.answer("thank you")

@action("no")
def no(event: Event, bot: Bot) -> None:
    bot.update("not deployed")

@command("/deploy pick")
def pick(event: Event, bot: Bot) -> None:
    menu = Menu("picked", "Where?", options=STAGES, uses=None)
    bot.post(event.peer.bpid, "where?", cards=[Card(controls=[menu])])

@action("picked")
def picked(event: Event, bot: Bot, choice: str) -> None:
    bot.update(f"{choice} it is")

@command("/deploy vote")
def vote(event: Event, bot: Bot) -> None:
    bot.post(event.peer.bpid, "0", cards=[votes()])

@action("plus")
def plus(event: Event, bot: Bot) -> None:
    count = bot.store.get("votes", 0) + 1
    bot.store.set("votes", count)
    bot.update(str(count), cards=[votes()])

def votes() -> Card:
    return Card(controls=[Button("plus", "+1", uses=None)])

@command("/deploy board")
def board(event: Event, bot: Bot) -> None:
    channel, there = event.peer.bpid, bot.named("board")
    if there:
        bot.edit(channel, there, "the board, again", cards=[votes()])
        bot.upload(channel, "log.txt", b"all of it", text="the log")
        bot.direct(event.user.uuid, "it is written")
    else:
        bot.post(channel, "the board", name="board")

@command("/deploy slowly")
def slowly(event: Event, bot: Bot) -> None:
    bot.answer("at last")
    threading.Event().wait(3.5)

@command("/deploy late")
def late(event: Event, bot: Bot) -> None:
    bot.open_dialog(Dialog("request", "Deploy", [Field("stage", "Stage")]))
    threading.Event().wait(3.5)

@command("/deploy ask")
def ask(event: Event, bot: Bot) -> None:
    bot.open_dialog(Dialog("request", "Deploy", [Field("stage", "Stage")]))

@dialog("request")
def request(event: Event, bot: Bot, stage: str) -> None:
    if stage not in ("dev", "prod"):
        bot.refuse(stage="there is no such stage")
    else:
        bot.post(event.peer.bpid, f"requested {stage}")

@command("/deploy pages")
def pages(event: Event, bot: Bot) -> None:
    bot.answer("page 1", cards=[Card(controls=[more(1)])])

@action("turn")
def turn(event: Event, bot: Bot, page: int) -> None:
    bot.update(f"page {page + 1}", cards=[Card(controls=[more(page + 1)])])

def more(page: int) -> Button:
    return Button("turn", "More", payload={"page": page})

@command("/deploy broken")
def broken(event: Event, bot: Bot) -> None:
    raise PermissionError("no way")

@command("/deploy silent")
def silent(event: Event, bot: Bot) -> None:
    pass
"""


class Shop:
    """A daemon with that plugin, and alice before it."""

    def __init__(
        self, mattermost: Mattermost, dsn: Dsn, start: Start, write: Callable[..., Path]
    ) -> None:
        self.mattermost = mattermost
        self.acts, self.town = mattermost.acts, mattermost.town
        self._start, self._dsn = start, dsn
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        tokens = {
            trigger: self.acts.add_command(
                self.town.team, trigger, f"{url}/slash", self.town.admin
            )["token"]
            for trigger in ("deploy", "malex")
        }
        self.config = write(
            "shop",
            dsn,
            backend={"host": "127.0.0.1", "port": port, "public_url": url},
            plugins=["shop.py"],
            mattermost={
                "http_host": mattermost.url,
                "token": self.town.token,
                "listen_channels": ["*"],
                "target_events_processors": {"posted": ["save"]},
                "command_tokens": tokens,
            },
        )
        self.config.with_name("shop.py").write_text(PLUGIN)
        self.daemon = self.start()

    def start(self) -> DaemonProcess:
        daemon = self._start(self.config)
        daemon.wait_for_status("mattermost: connected")
        return daemon

    def type(self, text: str) -> dict[str, Any]:
        return self.acts.execute(self.town.alice, self.town.channel, text)

    def press(self, post_id: str, label: str, who: str = "", option: str = "") -> None:
        actions = self.acts.actions(post_id)
        (action,) = [each["id"] for each in actions if each["name"] == label]
        self.acts.press(who or self.town.alice, post_id, action, option=option)

    def text(self, post_id: str) -> str:
        return self.mattermost.scene.world.posts[post_id].message

    def says(self, post_id: str, text: str) -> bool:
        return self.text(post_id) == text

    def asked(self, text: str = "/deploy prod") -> str:
        """The post that asks alice."""
        before = len(self.mattermost.ledger.entries(user_id=self.town.bot))
        self.type(text)
        return self.mattermost.wait_for_posts(before + 1)[-1].id

    def look(self, query: str) -> list[Any]:
        with Database(self._dsn) as database, database.transaction() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def whispers(self, count: int) -> list[str]:
        told = self.mattermost.wait_for_whispers(self.town.alice, count)
        return [each["message"] for each in told]


@pytest.fixture
def shop(
    mattermost: Mattermost,
    empty_database: Dsn,
    start: Start,
    write_config: Callable[..., Path],
) -> Shop:
    return Shop(mattermost, empty_database, start, write_config)


def test_a_command_a_button_and_what_becomes_of_it(shop: Shop) -> None:
    post_id = shop.asked()
    assert shop.text(post_id) == "deploy to prod?"
    shop.press(post_id, "Go")
    assert shop.text(post_id) == "deployed to prod, number 1"
    assert shop.acts.actions(post_id) == []
    assert shop.whispers(1) == ["thank you"]


def test_a_menu_gives_what_was_chosen_as_often_as_one_likes(shop: Shop) -> None:
    post_id = shop.asked("/deploy pick")
    (menu,) = shop.acts.actions(post_id)
    shop.acts.press(shop.town.alice, post_id, menu["id"], option="dev")
    assert shop.text(post_id) == "dev it is"


def test_of_two_who_press_at_once_one_acts(shop: Shop) -> None:
    post_id = shop.asked()
    people = (shop.town.alice, shop.town.bob)
    labels = {each["name"]: each["id"] for each in shop.acts.actions(post_id)}
    refused: list[Refusal] = []

    def press(who: str) -> None:
        try:
            shop.acts.press(who, post_id, labels["Go"])
        except Refusal as error:
            refused.append(error)

    threads = [threading.Thread(target=press, args=(who,)) for who in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shop.text(post_id) == "deployed to prod, number 1"
    told = [w["message"] for who in people for w in shop.acts.whispers(who)]
    assert told.count("thank you") == 1
    assert len(told) + len(refused) == 2


def test_of_many_who_vote_at_once_each_counts_once(shop: Shop) -> None:
    """Whoever was overtaken counts anew; but a button that was replaced meanwhile,
    by another one of that name, the server does not find any more.
    """
    post_id = shop.asked("/deploy vote")
    (plus,) = shop.acts.actions(post_id)
    people = [shop.town.alice, shop.town.bob] * 9
    refused: list[Refusal] = []

    def press(who: str) -> None:
        try:
            shop.acts.press(who, post_id, plus["id"])
        except Refusal as error:
            refused.append(error)

    threads = [threading.Thread(target=press, args=(who,)) for who in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    votes = shop.look("SELECT value FROM store WHERE key = 'votes'")
    assert votes == [(len(people) - len(refused),)]


def test_a_post_with_a_name_is_found_again_and_changed(shop: Shop) -> None:
    board = shop.asked("/deploy board")
    finished = "SELECT FROM jobs WHERE finished_at IS NULL"
    eventually(lambda: not shop.look(finished))
    shop.type("/deploy board")
    eventually(lambda: shop.text(board) == "the board, again")
    (plus,) = shop.acts.actions(board)
    said = shop.mattermost.wait_for_posts(3)
    assert sorted(each.text for each in said[1:]) == ["it is written", "the log"]
    (log,) = [each for each in said if each.text == "the log"]
    (file_id,) = shop.mattermost.scene.world.posts[log.id].file_ids
    assert shop.mattermost.scene.world.files[file_id].name == "log.txt"
    # Its button is one of the post that it stands on now.
    eventually(lambda: not shop.look(finished))
    shop.acts.press(shop.town.alice, board, plus["id"])
    assert shop.text(board) == "1"


def test_a_person_finds_what_that_person_may_read(shop: Shop) -> None:
    scene, town = shop.mattermost.scene, shop.town
    for channel, text in ((town.channel, "open plan"), (town.private, "secret plan")):
        scene.post(channel, town.alice, text)
    eventually(lambda: len(shop.look("SELECT FROM posts WHERE message ~ 'plan'")) == 2)

    def finds(who: str) -> str:
        before = len(shop.acts.whispers(who))
        shop.acts.execute(who, town.channel, "/malex find plan")
        return str(shop.mattermost.wait_for_whispers(who, before + 1)[-1])

    assert "open **plan**" in finds(town.alice) and "secret" in finds(town.alice)
    assert "open **plan**" in finds(town.bob) and "secret" not in finds(town.bob)


def test_a_slow_handler_answers_later(shop: Shop) -> None:
    shop.type("/deploy slowly")
    assert shop.whispers(1) == ["One moment…"]
    assert shop.whispers(2)[1] == "at last"
    # A dialog opens within three seconds, or not at all.
    shop.type("/deploy late")
    assert shop.whispers(4)[-1].startswith("The form could not be opened in time")
    assert shop.acts.dialogs(shop.town.alice) == []


def test_a_dialog_with_an_error_in_it_and_then_without(shop: Shop) -> None:
    shop.type("/deploy ask")
    (opened,) = shop.mattermost.wait_for_dialogs(shop.town.alice)
    wrong = shop.acts.submit(opened["id"], shop.town.channel, {"stage": "moon"})
    assert wrong == {"errors": {"stage": "there is no such stage"}}
    right = shop.acts.submit(opened["id"], shop.town.channel, {"stage": "dev"})
    assert not right
    assert shop.mattermost.wait_for_posts()[-1].text == "requested dev"
    with pytest.raises(Refusal):
        shop.acts.submit(opened["id"], shop.town.channel, {"stage": "dev"})


def test_a_command_that_goes_wrong_says_so_and_one_that_is_silent_nothing(
    shop: Shop,
) -> None:
    shop.type("/deploy silent")
    assert shop.acts.whispers(shop.town.alice) == []
    shop.type("/deploy broken")
    # With its tries it may take longer than the command waits.
    eventually(lambda: shop.whispers(1)[-1].startswith("That went wrong"))
    assert "PermissionError: no way" in shop.daemon.log


def test_a_stop_answers_who_waits_and_takes_nobody_else_in(shop: Shop) -> None:
    thread = threading.Thread(target=shop.type, args=["/deploy slowly"])
    thread.start()
    running = "SELECT FROM jobs WHERE name = 'shop.slowly' AND state = 'leased'"
    eventually(lambda: bool(shop.look(running)))
    shop.daemon.signal(signal.SIGTERM)
    assert shop.daemon.wait() == 0
    thread.join()
    told = shop.whispers(1)
    assert told[0] in ("One moment…", "at last")
    shop.start()
    assert shop.whispers(2)[-1] == "at last"


def test_pages_that_one_person_sees_are_turned(shop: Shop) -> None:
    """The first one no server changes; the next comes directly, and changes."""
    shop.type("/deploy pages")
    (whisper,) = shop.mattermost.wait_for_whispers(shop.town.alice)
    shop.press(whisper["id"], "More")
    (second,) = shop.mattermost.wait_for_posts(1)
    assert (second.channel_id, second.text) == (shop.town.direct, "page 2")
    for page in ("page 3", "page 4"):
        shop.press(second.id, "More")
        eventually(partial(shop.says, second.id, page))
    assert len(shop.mattermost.ledger.entries(user_id=shop.town.bot)) == 1
