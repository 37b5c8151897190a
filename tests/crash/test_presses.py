"""Killed at any moment, what was pressed once is done once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from malexbot.sandbox.refusals import Refusal
from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.town import Town, build
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from tests.crash.proxy import Proxy
from tests.crash.stage import Stage
from tests.crash.strikes import Moment, Strike
from tests.support.settings import db_block, free_port
from tests.support.threads import eventually

# Its handler does something of each kind: what is kept, what is said, what is answered.
PLUGIN = """
from malexbot import Bot, Button, Card, Event, action, command

@command("/count")
def count(event: Event, bot: Bot, name: str) -> None:
    controls = [Button("press", "Press", payload={"name": name})]
    bot.post(event.peer.bpid, name, cards=[Card(controls=controls)])

@action("press")
def press(event: Event, bot: Bot, name: str) -> None:
    bot.store.set(name, bot.store.get(name, 0) + 1)
    bot.post(event.peer.bpid, f"pressed {name}")
    bot.update(f"{name} is pressed")
"""

# The windows of a press, by what is written there.
WINDOWS = {
    "the press itself": "^COPY ",
    "its use of the button": "INSERT INTO grant_uses",
    "what the handler says and keeps": "INSERT INTO jobs .*lane, parent",
    "the end of its answer": r"(^|;)\s*UPDATE jobs SET state = \$",
}
MOMENTS: tuple[Moment, ...] = ("before", "after")


class Buttons:
    """Alice before the buttons of a daemon that is killed and started again."""

    def __init__(self, stage: Stage, database: Database) -> None:
        self.stage = stage
        self.sandbox, self.town = stage.sandbox, stage.town
        self._database = database

    def start(self) -> None:
        self.stage.start().wait_for_status("mattermost: connected")

    def type(self, text: str) -> None:
        self.sandbox.acts.execute(self.town.alice, self.town.channel, text)

    def make(self, name: str) -> str:
        """The post below which the button is."""
        self.type(f"/count {name}")
        eventually(lambda: len(self.said(name)) == 1)
        eventually(lambda: not self.stage.judge.unfinished())
        return self.said(name)[0]

    def press(self, post_id: str) -> bool:
        """No: alice is told that it went wrong, or there is no button any more."""
        try:
            for each in self.sandbox.acts.actions(post_id):
                self.sandbox.acts.press(self.town.alice, post_id, each["id"])
        except Refusal:
            return False
        return True

    def press_until_it_is_done(self, post_id: str, name: str) -> None:
        """As people do."""

        def is_done() -> bool:
            self.press(post_id)
            post = self.sandbox.scene.world.posts[post_id]
            return post.message == f"{name} is pressed"

        eventually(is_done)
        eventually(lambda: not self.stage.judge.unfinished())

    def said(self, text: str) -> list[str]:
        entries = self.sandbox.ledger.entries(user_id=self.town.bot)
        return [entry.id for entry in entries if entry.text == text]

    def kept(self, name: str) -> Any:
        with self._database.transaction() as cursor:
            cursor.execute("SELECT value FROM store WHERE key = %s", (name,))
            found = cursor.fetchone()
        return found and found[0]


@pytest.fixture
def buttons(migrated_database: Dsn, proxy: Proxy, tmp_path: Path) -> Iterator[Buttons]:
    with Sandbox() as sandbox, Database(migrated_database) as database:
        town = build(sandbox.scene)
        config = tmp_path / "malexbot.yaml"
        config.write_text(_config(tmp_path, sandbox, town, proxy.dsn))
        (tmp_path / "counting.py").write_text(PLUGIN)
        stage = Stage(sandbox=sandbox, town=town, config=config, database=database)
        try:
            yield Buttons(stage, database)
        finally:
            stage.stop()


def _config(folder: Path, sandbox: Sandbox, town: Town, dsn: Dsn) -> str:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    made = sandbox.acts.add_command(town.team, "count", f"{url}/slash", town.admin)
    return yaml.safe_dump(
        {
            "state_dir": str(folder / "state"),
            "backend": {"host": "127.0.0.1", "port": port, "public_url": url},
            "db": db_block(dsn),
            "plugins": ["counting.py"],
            "mattermost": {
                "http_host": sandbox.url,
                "token": town.token,
                "listen_channels": ["*"],
                "command_tokens": {"count": made["token"]},
            },
        }
    )


@pytest.mark.parametrize("window", WINDOWS)
def test_pressed_once_is_done_once(buttons: Buttons, proxy: Proxy, window: str) -> None:
    buttons.start()
    for moment in MOMENTS:
        name = f"button-{moment}"
        post_id = buttons.make(name)
        buttons.stage.tell(f"killed {moment} the commit of {window}")
        proxy.strike(Strike(1, moment, buttons.stage.kill, WINDOWS[window]))
        buttons.press(post_id)
        buttons.stage.wait_for_the_kill()
        buttons.start()
        buttons.press_until_it_is_done(post_id, name)
        assert len(buttons.said(f"pressed {name}")) == 1
        assert buttons.kept(name) == 1


def test_what_is_refused_while_the_database_is_away_is_not_done_later(
    buttons: Buttons, proxy: Proxy
) -> None:
    buttons.start()
    post_id = buttons.make("button")

    def refuse() -> None:
        proxy.refuse()
        proxy.cut()

    for break_line in (refuse, proxy.hold):
        break_line()
        assert not buttons.press(post_id)
        with pytest.raises(Refusal):
            buttons.type("/count another")
        proxy.heal()
        eventually(lambda: "active" in buttons.stage.daemon.status)
    eventually(lambda: not buttons.stage.judge.unfinished())
    assert buttons.said("another") == buttons.said("pressed button") == []
    buttons.press_until_it_is_done(post_id, "button")
    assert buttons.kept("button") == 1
