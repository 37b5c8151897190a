"""Which channels are listened to, and what is told of those that come and go."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from malexbot.messengers.mattermost.rooms import Listed
from malexbot.ports import ChannelNews
from tests.simulation.bot import Process
from tests.simulation.server import Server
from tests.simulation.store import Store

TEAMS = {"t1": "Crew", "t2": "other"}


def _news(id: str, *, name: str = "", team: str = "t1", type: str = "O") -> ChannelNews:
    return ChannelNews(id, team, type, name or id, "", 0, 0)


@pytest.mark.parametrize(
    ("names", "news", "fits"),
    [
        (["*"], _news("a"), True),
        (["*"], _news("a", team="", type="D"), False),
        (["*"], _news("a", team="", type="G"), False),
        (["a"], _news("a", team="", type="D"), True),
        (["a"], _news("b"), False),
        (["crew/general"], _news("x", name="general"), True),
        (["crew/general"], _news("x", name="general", team="t2"), False),
        (["other/general"], _news("x", name="general", team="t2"), True),
        ([], _news("a"), False),
    ],
)
def test_a_channel_fits_by_id_by_name_or_by_star(
    names: Sequence[str], news: ChannelNews, fits: bool
) -> None:
    assert Listed(names).fits(news, TEAMS) is fits


def test_direct_channels_fit_a_star_only_if_they_are_archived() -> None:
    direct = _news("a", team="", type="D")
    assert Listed(["*"], with_direct=True).fits(direct, TEAMS)


class Desk:
    def __init__(self, *names: str) -> None:
        self.server = Server()
        self.store = Store()
        self.server.channel("one")
        self.bot = Process(self.server, self.store, names=names or ("*",))

    def read(self) -> None:
        self.bot.read()
        self.bot.flush()


def test_the_channels_of_before_are_listened_to_before_the_server_is_asked() -> None:
    desk = Desk()
    desk.bot.connect()
    desk.read()
    bot = Process(desk.server, desk.store)
    bot.rooms.remember()
    assert bot.listened == {"one"}


def test_a_channel_that_the_bot_is_added_to_is_read() -> None:
    desk = Desk()
    desk.bot.connect()
    desk.read()
    desk.server.channel("two")
    post = desk.server.say("two")
    desk.read()
    assert desk.bot.listened == {"one", "two"}
    assert post.id in desk.store.posts


def test_what_came_live_before_a_channel_was_listened_to_is_read() -> None:
    desk = Desk()
    desk.bot.connect()
    post = desk.server.say("one")
    desk.bot.flush()
    assert post.id not in desk.store.posts
    desk.read()
    assert post.id in desk.store.posts


def test_a_lost_channel_is_told_once_and_its_gap_stays_open(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk()
    desk.bot.connect()
    desk.read()
    desk.server.remove_bot("one")
    desk.bot.flush()
    desk.read()
    desk.read()
    assert "no access" in desk.store.gaps[("one", "access")]
    assert not desk.store.noted["one"].is_accessible
    assert len([r for r in caplog.records if "no access" in r.message]) == 1
    assert desk.bot.listened == set()


def test_a_channel_that_is_found_again_is_read_from_where_it_was_left() -> None:
    desk = Desk()
    desk.server.say("one")
    desk.bot.connect()
    desk.read()
    desk.server.remove_bot("one")
    desk.bot.flush()
    desk.read()
    missed = desk.server.say("one")
    desk.server.channels["one"].has_bot = True
    desk.read()
    assert missed.id in desk.store.posts
    assert ("one", "access") not in desk.store.gaps


def test_a_channel_that_left_unheard_waits_for_a_new_number() -> None:
    desk = Desk()
    desk.server.say("one")
    desk.bot.connect()
    desk.read()
    desk.server.channels["one"].has_bot = False
    desk.read()
    assert "one" in desk.bot.hearing.take_wish()
    assert desk.bot.listened == set()


def test_a_name_that_no_channel_has_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk("crew/one", "crew/nowhere")
    desk.read()
    desk.read()
    assert [r.message for r in caplog.records if "in no channel" in r.message] == [
        "listen_channels: the bot is in no channel crew/nowhere"
    ]
    assert desk.bot.listened == {"one"}
