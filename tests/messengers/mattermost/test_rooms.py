"""Which channels are listened to, and what is told of those that come and go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.rooms import Listed
from malexbot.ports import ChannelNews
from malexbot.sandbox.fixtures import Mattermost
from tests.simulation.bot import Process
from tests.simulation.server import Server
from tests.simulation.store import BLANK, Store

from .reader import Reader

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


@pytest.mark.parametrize(
    ("team", "teams", "may_fit"),
    [
        ("crew", {}, True),
        ("other", {}, False),
        ("", {}, True),
        ("other", {"t1": "crew"}, True),
        ("crew", {"t1": "other"}, False),
    ],
)
def test_a_channel_that_is_not_shown_is_one_of_the_team_it_had(
    team: str, teams: dict[str, str], may_fit: bool
) -> None:
    mark = replace(BLANK, channel_id="x", name="general", team_id="t1", team=team)
    assert Listed(["crew/general"]).may_fit(mark, teams) is may_fit


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


def test_where_people_talk_to_the_bot_alone_is_known_once_the_server_has_shown_it(
    mattermost: Mattermost, client: Client
) -> None:
    reader = Reader(mattermost, client)
    assert reader.read()
    after = Reader(mattermost, client)
    rooms = after.backfill._rooms
    rooms._bookmarks = reader.store
    rooms.remember()
    assert (after.listened, after.direct) == (reader.listened, None)
    rooms.look(0)
    assert mattermost.town.direct in (after.direct or ())


def test_that_there_is_no_channel_is_told_as_well() -> None:
    told: list[object] = []
    desk = Desk()
    desk.server.remove_bot("one")
    desk.bot.rooms._publish = lambda channels, direct: told.append((channels, direct))
    desk.bot.rooms.remember()
    desk.bot.rooms.look(0)
    assert told == [(frozenset(), frozenset())]


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


# On a real server: what is listened to, and what becomes of it.


def say(mattermost: Mattermost, *channels: str) -> set[str]:
    scene, alice = mattermost.scene, mattermost.town.alice
    return {scene.post(channel, alice, "hello") for channel in channels}


def said(reader: Reader) -> set[str]:
    """What people said of all that is archived."""
    posts = reader.store.posts.values()
    return {post.id for post in posts if not post.is_system}


def other_team(mattermost: Mattermost) -> str:
    """A channel with the name of the first one, in another team of the bot's."""
    scene, town = mattermost.scene, mattermost.town
    team = scene.add_team("other", town.admin)
    for user in (town.alice, town.bot):
        scene.join_team(team, user)
    channel = scene.add_channel(team, "general", town.admin)
    for user in (town.alice, town.bot):
        scene.join(channel, user, by=town.admin)
    return channel


def test_a_star_is_every_channel_of_every_team_without_direct_ones(
    mattermost: Mattermost, client: Client
) -> None:
    town = mattermost.town
    other = other_team(mattermost)
    heard = say(mattermost, town.channel, town.second, town.private, other)
    say(mattermost, town.direct)
    reader = Reader(mattermost, client)
    assert reader.read()
    assert said(reader) == heard
    assert town.direct in (reader.direct or ())


def test_direct_and_group_channels_are_kept_if_they_are_asked_for(
    mattermost: Mattermost, client: Client
) -> None:
    town = mattermost.town
    group = mattermost.scene.group([town.alice, town.bob, town.bot])
    heard = say(mattermost, town.channel, town.direct, group)
    reader = Reader(mattermost, client, with_direct=True)
    assert reader.read()
    assert said(reader) == heard


def test_a_path_is_of_one_team(mattermost: Mattermost, client: Client) -> None:
    town = mattermost.town
    heard = say(mattermost, town.channel)
    say(mattermost, other_team(mattermost), town.second)
    reader = Reader(mattermost, client, names=["malex/general"])
    assert reader.read()
    assert said(reader) == heard


def test_what_the_config_does_not_name_any_more_is_let_go(
    mattermost: Mattermost, client: Client
) -> None:
    town = mattermost.town
    other = other_team(mattermost)
    wide = Reader(mattermost, client, with_direct=True)
    assert wide.read()
    wide.pass_minutes(5)
    say(mattermost, town.direct, other)
    mattermost.scene.leave(other, town.bot, by=town.admin)
    for names in (["*"], ["malex/general"]):
        reader = Reader(mattermost, client, names=names)
        reader.store = wide.store
        reader.backfill._rooms._bookmarks = wide.store
        reader.backfill._rooms.remember()
        assert town.direct not in reader.listened
        # It has the name that is listed, but is of another team.
        assert (other in reader.listened) is (names == ["*"])
        before = said(reader)
        reader.read()
        assert town.channel in reader.listened
        assert town.direct not in reader.listened
        assert said(reader) == before
    assert not (reader.listened & {town.direct, other})


def test_a_channel_that_is_named_anew_is_listened_to_by_its_old_name(
    mattermost: Mattermost, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    town, scene = mattermost.town, mattermost.scene
    reader = Reader(mattermost, client, names=["malex/general"])
    assert reader.read()
    scene.change_channel(town.channel, town.admin, {"name": "lounge"})
    scene.change_channel(town.channel, town.admin, {"display_name": "Lounge"})
    for _ in range(2):
        reader.pass_minutes(5)
        heard = say(mattermost, town.channel)
        assert reader.read()
        assert heard <= said(reader)
        assert reader.store.mark(town.channel).filled_for == reader.store.number
    assert caplog.text.count("is called lounge now") == 1
    assert reader.store.noted[town.channel].display_name == "Lounge"
    assert "in no channel" not in caplog.text


def test_a_channel_is_archived_and_restored(
    mattermost: Mattermost, client: Client
) -> None:
    town, scene = mattermost.town, mattermost.scene
    reader = Reader(mattermost, client)
    assert reader.read()
    reader.pass_minutes(5)
    heard = say(mattermost, town.channel)
    scene.archive_channel(town.channel, town.admin)
    assert reader.read()
    assert heard <= said(reader)
    scene.restore_channel(town.channel, town.admin)
    reader.pass_minutes(5)
    heard = say(mattermost, town.channel)
    assert reader.read()
    assert heard <= said(reader)
    assert not reader.store.gaps


def test_a_bot_that_is_added_again_reads_what_it_missed(
    mattermost: Mattermost, client: Client
) -> None:
    town, scene = mattermost.town, mattermost.scene
    reader = Reader(mattermost, client)
    assert reader.read()
    scene.leave(town.private, town.bot, by=town.admin)
    reader.pass_minutes(5)
    missed = say(mattermost, town.private)
    reader.read()
    reader.read()
    assert "no access" in reader.store.gaps[town.private, "access"]
    assert (town.private, "posts") in reader.store.gaps
    assert town.private not in reader.listened
    scene.join(town.private, town.bot, by=town.admin)
    reader.pass_minutes(5)
    assert reader.read()
    assert missed <= said(reader)
    assert not reader.store.gaps
