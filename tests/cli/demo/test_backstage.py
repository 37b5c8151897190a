"""What the chat page is told beside the chat, and what it may order."""

from __future__ import annotations

from pathlib import Path

import pytest

from malexbot.cli.demo.attendant import Attendant
from malexbot.cli.demo.backstage import ORDERS, Backstage
from malexbot.cli.demo.ending import Ending
from malexbot.cli.demo.orders import Orders
from malexbot.cli.demo.stage import Stage
from malexbot.cli.demo.telling import Teller
from malexbot.errors import Transient
from malexbot.storage.recent import KeptPost, Recent
from tests.cli.demo.conftest import BareStage

ROW = KeptPost("p1", "u1", "", "", "hello", 1000, 0, 0, ["hallo"], ["tada"])


@pytest.fixture
def ordered() -> list[str]:
    return []


@pytest.fixture
def backstage(stage: BareStage, ordered: list[str]) -> Backstage:
    stage.recent = lambda channel_id, since: Recent(2000, since, [ROW])
    return Backstage(stage, ordered.append)


def test_the_rows_are_told_with_how_far_they_reach(backstage: Backstage) -> None:
    seen = backstage.look("c1", 500)
    assert (seen["archive"], seen["mark_at"], seen["from"]) == (True, 2000, 500)
    (row,) = seen["posts"]
    assert (row["message"], row["earlier"]) == ("hello", ["hallo"])


def test_an_archive_that_is_away_is_told(
    stage: BareStage, backstage: Backstage
) -> None:
    def away(channel_id: str, since: int) -> Recent:
        raise Transient("gone")

    stage.recent = away
    assert backstage.look("c1", 0) == {
        "bot": "listening",
        "may": ["kill", "cut"],
        "archive": False,
    }


def test_how_malexbot_is_says_what_may_be_done_to_it(
    stage: BareStage, backstage: Backstage, ordered: list[str]
) -> None:
    def bot() -> tuple[str, list[str]]:
        seen = backstage.look("c1", 0)
        return seen["bot"], seen["may"]

    assert bot() == ("listening", ["kill", "cut"])
    stage.is_here = False
    assert bot() == ("connecting", ["kill"])
    stage.has_fallen = True
    assert bot() == ("down", ["start"])
    for what in ("kill", "start", "quit", "/quit", ""):
        backstage.do(what)
    assert ordered == ["/start"]


def test_before_its_first_start_it_is_down(tmp_path: Path) -> None:
    assert Stage(tmp_path, Ending()).bot_is == "down"


def test_what_the_filter_leaves_out_is_known_while_it_listens(
    stage: BareStage, backstage: Backstage
) -> None:
    channel = stage.town.channel
    stage.say("bob", "a word")
    secret = stage.say("bob", "off the record: a word")
    assert backstage.look(channel, 0)["unwanted"] == [secret]
    stage.has_fallen = True
    assert backstage.look(channel, 0)["unwanted"] == []


def test_every_order_is_one_that_can_be_typed(
    stage: BareStage, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []
    attendant = Attendant(stage, teller)
    for name in ("kill", "start", "cut"):
        monkeypatch.setattr(
            attendant, name, lambda name=name, **how: done.append((name, how))
        )
    orders = Orders(stage, teller, attendant)
    for line in ORDERS.values():
        orders.obey(line)
    orders.obey("/kill")
    assert done == [
        ("kill", {"for_long": True}),
        ("start", {}),
        ("cut", {}),
        ("kill", {"for_long": False}),
    ]
