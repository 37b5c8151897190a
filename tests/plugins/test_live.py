"""Plugins in the real daemon on the sandbox: commands, buttons, dialogs, the clock."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests

from malexbot.sandbox.daemon import DaemonProcess
from malexbot.sandbox.fixtures import Mattermost, mattermost
from malexbot.sandbox.ledger import Entry
from malexbot.storage.dsn import Dsn
from tests.process.conftest import folder, start, write_config
from tests.support.settings import free_port
from tests.support.threads import eventually

__all__ = ["folder", "mattermost", "start", "write_config"]

pytestmark = pytest.mark.untraced

PLUGINS = Path(__file__).parents[2] / "etc" / "plugins"
ONCALL, STANDUP, TIMELINE = (
    str(PLUGINS / f"{name}.py") for name in ("oncall", "standup", "timeline")
)
SECRET = "0123456789abcdef"
PLUGIN = """
from malexbot import *

@command("/ask", "ask for a day off", users=["alice"])
def ask(event, bot, days: int):
    go = Button("go", "Go", {"days": days}, style="primary", uses=None)
    bot.post(event.peer.bpid, f"{days} days?", cards=[Card(controls=[go])])
    bot.answer("asked")

@action("go")
def go(event, bot, days: int):
    fields = [Field("reason", "Reason")]
    bot.open_dialog(Dialog("why", "Why?", fields, payload={"n": days}))

@dialog("why", channels=["general"])
def why(event, bot, n: int, reason: str):
    if reason == "none":
        bot.refuse(reason="say more")
        return
    count = bot.store.get("count", 0) + 1
    bot.store.set("count", count)
    bot.post(event.peer.bpid, f"{n} days for {reason}, request {count}")

@webhook("/git")
def pushed(event, bot):
    bot.post(event.data["body"]["channel"], f"pushed to {event.data['body']['ref']}")
"""
CLOCK = """
from malexbot import *

class Params(Settings):
    channel: str

@every("1s")
def tell(event, bot):
    bot.post(bot.settings.channel, str(event.occurred_at))
"""


class Site:
    """A daemon on a sandbox whose commands lead to it."""

    def __init__(
        self,
        write: Callable[..., Path],
        start: Callable[..., DaemonProcess],
        database: Dsn,
        mattermost: Mattermost,
    ) -> None:
        self.mattermost, self.town = mattermost, mattermost.town
        self._write, self._start, self._database = write, start, database
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def config(self, *commands: str, **blocks: Any) -> Path:
        tokens = {name: self._token(name) for name in commands}
        mattermost = {
            "http_host": self.mattermost.url,
            "token": self.town.token,
            "listen_channels": ["*"],
            "target_events_processors": {"posted": ["save"]},
            "command_tokens": tokens,
        }
        backend = {"host": "127.0.0.1", "port": self.port, "public_url": self.url}
        return self._write(
            "one", self._database, mattermost=mattermost, backend=backend, **blocks
        )

    def run(self, config: Path) -> DaemonProcess:
        daemon = self._start(config)
        daemon.wait_for_status("mattermost: connected")
        return daemon

    def give(self, text: str, user: str = "") -> str:
        """What is answered at once to who gives the command."""
        given = self.mattermost.acts.execute(
            user or self.town.alice, self.town.channel, text
        )
        return str(given.get("text", ""))

    def ask(self, path: str) -> requests.Response:
        """What the server tells the bot."""
        headers = {"Authorization": f"Bearer {self.town.token}"}
        url = f"{self.mattermost.url}/api/v4/{path}"
        return requests.get(url, headers=headers, timeout=10)

    def said(self) -> list[str]:
        return [entry.text for entry in self.entries()]

    def entries(self) -> Sequence[Entry]:
        return self.mattermost.ledger.entries(user_id=self.town.bot)

    def _token(self, name: str) -> str:
        made = self.mattermost.acts.add_command(
            self.town.team, name, f"{self.url}/slash", self.town.admin
        )
        return str(made["token"])


@pytest.fixture
def site(
    write_config: Callable[..., Path],
    empty_database: Dsn,
    mattermost: Mattermost,
    start: Callable[..., DaemonProcess],
) -> Iterator[Site]:
    """The daemon ends first: without its database it would wait for that."""
    yield Site(write_config, start, empty_database, mattermost)


def test_a_plugin_is_used_from_command_to_dialog(site: Site) -> None:
    config = site.config(
        *("ask", "malex"),
        plugins=["off.py"],
        webhooks={"git": {"secret": SECRET}},
    )
    config.with_name("off.py").write_text(PLUGIN)
    acts, town = site.mattermost.acts, site.town
    site.mattermost.scene.set_locale(town.bob, "ru")
    daemon = site.run(config)

    # The command, and who may give it.
    told = site.give("/ask many")
    assert told == "`many` does not fit `days`. Write it so: `/ask days`"
    assert site.give("/ask 2", town.bob).startswith("Здесь вам это нельзя.")
    assert site.give("/ask 2") == "asked"
    (post,) = site.mattermost.wait_for_posts(1)
    assert post.text == "2 days?"

    # Its button, and the dialog with what is wrong in it, and then right.
    (button,) = acts.actions(post.id)
    acts.press(town.alice, post.id, button["id"])
    (dialog,) = site.mattermost.wait_for_dialogs(town.alice, 1)
    wrong = acts.submit(dialog["id"], town.channel, {"reason": "none"})
    assert wrong == {"errors": {"reason": "say more"}}
    missing = acts.submit(dialog["id"], town.channel, {"reason": ""})
    assert missing == {"errors": {"reason": "`reason` is missing."}}
    assert not acts.submit(dialog["id"], town.channel, {"reason": "tea"})
    eventually(lambda: "2 days for tea, request 1" in site.said())

    # A call from outside.
    body = {"channel": town.channel, "ref": "main"}
    hook = f"{site.url}/hooks/git"
    headers = {"Authorization": f"Bearer {SECRET}"}
    assert requests.post(hook, json=body, timeout=10).status_code == 401
    for _ in range(2):
        # A caller that did not hear the answer calls again.
        again = {**headers, "X-GitHub-Delivery": "1"}
        answer = requests.post(hook, json=body, headers=again, timeout=10)
        assert answer.status_code == 200
    eventually(lambda: "pushed to main" in site.said())

    # malexbot itself.
    assert site.give("/malex ping").startswith("pong")
    assert "`/ask days` – ask for a day off" in site.give("/malex help")
    assert "/ask" not in site.give("/malex help", town.bob)
    assert "Что я умею" in site.give("/malex help", town.bob)
    site.mattermost.scene.post(town.channel, town.alice, "the deployment is on fire")
    eventually(lambda: "**alice**" in site.give("/malex find deployment"))
    assert "Posts kept of this channel: " in site.give("/malex stats")
    assert site.give("/malex status").startswith("#### ✓ All is well")
    site.mattermost.scene.post(town.channel, town.alice, "@malexbot help")
    eventually(lambda: any("What I can do" in text for text in site.said()))

    assert site.said().count("pushed to main") == 1

    # Other terms count at once.
    ready = len(daemon.notices("READY"))
    text = config.read_text() + "\npermissions: {off.ask: {users: [bob]}}\n"
    config.write_text(text)
    daemon.signal(signal.SIGHUP)
    daemon.wait_until(lambda: len(daemon.notices("READY")) > ready)
    assert site.give("/ask 3", town.bob) == "asked"
    assert site.give("/ask 3").startswith("You may not do this here.")


def test_pages_of_what_was_found_are_turned(site: Site) -> None:
    site.run(site.config("malex"))
    acts, town = site.mattermost.acts, site.town
    for number in range(12):
        site.mattermost.scene.post(town.channel, town.bob, f"release {number} is out")
    eventually(lambda: "release 11" in site.give("/malex find release 11"))
    site.give("/malex find release")
    *_, shown = site.mattermost.acts.whispers(town.alice)
    assert shown["message"].count("**bob**") == 5
    (more,) = acts.actions(shown["id"])
    acts.press(town.alice, shown["id"], more["id"])
    # What only one person saw cannot be changed: the next page comes directly, and
    # from there on pages are turned in place.
    (second,) = site.mattermost.wait_for_posts(1)
    assert second.channel_id == town.direct
    assert second.text.count("**bob**") == 5
    back, more = acts.actions(second.id)
    acts.press(town.alice, second.id, more["id"])
    eventually(lambda: site.entries()[0].text.count("**bob**") == 2)
    (back,) = acts.actions(second.id)
    assert back["name"] == "◀ Better"
    assert len(site.entries()) == 1


def test_a_report_is_written_into_a_dialog(site: Site) -> None:
    settings = {"channel": site.town.channel, "people": ["alice", "bob"]}
    config = site.config("standup", plugins=[STANDUP], processors={"standup": settings})
    site.run(config)
    acts, town = site.mattermost.acts, site.town
    site.give("/standup")
    (dialog,) = site.mattermost.wait_for_dialogs(town.alice, 1)
    said = {"done": "", "plan": "write tests", "stuck": ""}
    assert not acts.submit(dialog["id"], town.channel, said)
    shown = site.give("/standup show")
    assert "**alice**: write tests" in shown
    assert shown.endswith("Not heard of: @bob")
    # Written again, it begins with what is there.
    site.give("/standup")
    *_, again = site.mattermost.wait_for_dialogs(town.alice, 2)
    fields = {each["name"]: each["default"] for each in again["dialog"]["elements"]}
    assert fields["plan"] == "write tests"


def test_a_timeline_is_shown_and_posted_as_a_file(site: Site) -> None:
    site.run(site.config("timeline", plugins=[TIMELINE]))
    acts, town = site.mattermost.acts, site.town
    site.mattermost.scene.post(town.channel, town.bob, "the shop is on fire")
    site.give("/timeline note water is on its way")
    eventually(lambda: "**fire**" in site.give("/timeline fire"))
    *_, shown = acts.whispers(town.alice)
    # The server tells its time by the second, so which came first nobody knows.
    assert "**bob** in general: the shop is on **fire**" in shown["message"]
    assert "**alice**: :memo: water is on its way" in shown["message"]
    _, as_file = acts.actions(shown["id"])
    acts.press(town.alice, shown["id"], as_file["id"])
    eventually(lambda: "The timeline, 2 moments." in site.said())
    (post,) = [each for each in site.entries() if each.text.startswith("The timeline")]
    assert post.channel_id == town.channel
    (file,) = site.ask(f"posts/{post.id}/files/info").json()
    assert file["name"] == "timeline.md"
    assert "water is on its way" in site.ask(f"files/{file['id']}").text


def test_a_page_goes_on_until_somebody_has_it(site: Site) -> None:
    settings = {
        "people": ["alice", "bob"],
        "channel": site.town.channel,
        "begins": "2026-01-01",
    }
    site.run(site.config("oncall", plugins=[ONCALL], processors={"oncall": settings}))
    acts, town = site.mattermost.acts, site.town
    first, second = sorted(
        ["alice", "bob"], key=lambda name: f"**@{name}**" not in site.give("/oncall")
    )
    assert site.give("/oncall page the shop is down") == f"@{first} is told."
    (page,) = site.mattermost.wait_for_posts(1)
    have, pass_on = (button["id"] for button in acts.actions(page.id))
    acts.press(town.bob, page.id, pass_on)
    eventually(lambda: f"@{second}: the shop is down" in site.said())
    (call,) = [each for each in site.entries() if each.text.startswith(f"@{second}:")]
    assert call.root_id == page.id
    have, _ = (button["id"] for button in acts.actions(page.id))
    acts.press(town.bob, page.id, have)
    eventually(lambda: any("@bob has it" in text for text in site.said()))
    assert acts.actions(page.id) == []


def test_the_clock_strikes_once_over_a_kill(site: Site) -> None:
    config = site.config(
        plugins=["clock.py"], processors={"clock": {"channel": site.town.channel}}
    )
    config.with_name("clock.py").write_text(CLOCK)
    daemon = site.run(config)
    eventually(lambda: len(site.said()) >= 2)
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    daemon = site.run(config)
    struck = max(map(int, site.said()))
    eventually(lambda: max(map(int, site.said())) > struck + 1000)
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    twice = {text: count for text, count in Counter(site.said()).items() if count > 1}
    assert twice == {}
    assert all(int(text) % 1000 == 0 for text in site.said())
    assert int(site.said()[0]) <= time.time() * 1000
