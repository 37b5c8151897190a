"""Which channel, person or thread is meant."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from malexbot.cli.send.place import Line, Place, find_place
from malexbot.config.model import Mattermost as Settings
from malexbot.errors import Permanent, Transient
from malexbot.ports import ChannelNews
from malexbot.sandbox.fixtures import Mattermost
from malexbot.storage.bookmarks import DatabaseBookmarks
from malexbot.storage.database import Database
from malexbot.storage.leadership import Leadership

UNKNOWN_ID = "x" * 26


def settings(url: str, token: str) -> Settings:
    return Settings.model_validate({"http_host": url, "token": token})


@pytest.fixture
def line(mattermost: Mattermost) -> Iterator[Line]:
    with Line(settings(mattermost.url, mattermost.town.token)) as opened:
        yield opened


@pytest.fixture
def away() -> Iterator[Line]:
    """The server does not answer."""
    with Line(settings("http://127.0.0.1:1", "t0ken")) as opened:
        opened.client = opened.client.within(
            opened.client._driver.client._stop, patience_s=0.01
        )
        yield opened


@pytest.fixture
def known(database: Database) -> Database:
    """An archive in which two channels and two people are known."""
    taken = Leadership(database.dsn)
    assert taken.try_take()
    bookmarks = DatabaseBookmarks(database, epoch=lambda: taken.epoch)
    news = [
        ChannelNews("c1", "t1", "O", "ops", "Operations", 0, 0, team="red"),
        ChannelNews("c2", "t2", "O", "ops", "Blue Ops", 0, 0, team="blue"),
        ChannelNews("c3", "t1", "O", "left", "Left", 0, 0, is_accessible=False),
    ]
    bookmarks.note("mattermost", news)
    taken.close()
    with database.transaction() as cursor:
        cursor.execute(
            "INSERT INTO people VALUES ('mattermost', 'u1', 'anna'),"
            " ('mattermost', 'u2', 'alina')"
        )
        cursor.execute(
            "INSERT INTO posts (id, channel_id, user_id, root_id, type, message,"
            " create_at, update_at, edit_at, delete_at, raw, kept_from) VALUES"
            " (%s, 'c1', 'u1', %s, '', 'x', 1, 1, 0, 0, '', 0)",
            ("a" * 26, "b" * 26),
        )
    return database


def place(line: Line, database: Database, to: str | None, thread: str = "") -> Place:
    return find_place(line, database, to=to, thread=thread or None)


def test_what_the_archive_knows_needs_no_server(away: Line, known: Database) -> None:
    assert place(away, known, "red/ops") == Place("Operations", channel_id="c1")
    assert place(away, known, "~Blue Ops").channel_id == "c2"
    assert place(away, known, "@Anna") == Place("@anna", user_id="u1")
    for link in ("a" * 26, f"https://chat.example.org/red/pl/{'a' * 26}"):
        found = place(away, known, None, link)
        assert found == Place("the thread", channel_id="c1", root_id="b" * 26)
    assert place(away, known, "red/ops", "a" * 26).name == "the thread in Operations"
    assert place(away, known, "c1").target == "mattermost:c1"
    assert place(away, known, "@anna").target == "mattermost:@u1"


@pytest.mark.parametrize("to", ["@nobody", "left", "nowhere", UNKNOWN_ID])
def test_what_only_the_server_knows_waits_for_it(
    away: Line, known: Database, to: str
) -> None:
    with pytest.raises(Transient):
        place(away, known, to)


@pytest.mark.parametrize(
    ("to", "thread", "why"),
    [
        ("ops", "", "several channels are called 'ops', give team/name or the id"),
        ("generl", "", "'generl': /invite it there first; did you mean general?"),
        ("red/secod", "", "did you mean second"),
        ("green/general", "", "no channel 'green/general'"),
        ("@alic", "", "nobody called @alic; did you mean @alina"),
        ("@alice", "a" * 26, "leave --to out"),
        ("blue/ops", "a" * 26, "the thread is not in Blue Ops"),
        (None, UNKNOWN_ID, "the bot sees no post"),
        (None, "a permalink", "neither a permalink nor the id of a post"),
    ],
)
def test_what_is_not_clear_is_told(
    line: Line, known: Database, to: str | None, thread: str, why: str
) -> None:
    with pytest.raises(Permanent) as raised:
        place(line, known, to, thread)
    assert why in str(raised.value)


def test_the_server_knows_the_rest(
    line: Line, known: Database, mattermost: Mattermost
) -> None:
    town, scene = mattermost.town, mattermost.scene
    for to in ("general", "malex/General", town.channel):
        assert place(line, known, to).channel_id == town.channel
    assert place(line, known, "@alice").user_id == town.alice
    root = scene.post(town.channel, town.alice, "root")
    reply = scene.post(town.channel, town.bob, "reply", root_id=root)
    found = place(line, known, "general", f"{mattermost.url}/malex/pl/{reply}")
    assert (found.channel_id, found.root_id) == (town.channel, root)


def test_a_name_that_went_over_to_somebody_else_is_theirs(
    line: Line, known: Database, mattermost: Mattermost
) -> None:
    with known.transaction() as cursor:
        cursor.execute("UPDATE people SET name = 'bob' WHERE user_id = 'u1'")
    assert place(line, known, "@bob").user_id == mattermost.town.bob


def test_an_incoming_webhook_is_a_place(database: Database) -> None:
    hooks = {"ops": "https://chat.example.org/hooks/x"}
    told = {"http_host": "http://127.0.0.1:1", "token": "t0ken"}
    line = Line(Settings.model_validate({**told, "incoming_webhooks": hooks}))
    place = find_place(line, database, to="hook:ops", thread=None)
    assert (place.channel_id, place.target) == ("hook:ops", "mattermost:hook:ops")
    with pytest.raises(Permanent, match="did you mean hook:ops"):
        find_place(line, database, to="hook:opss", thread=None)
    with pytest.raises(Permanent, match="--thread"):
        find_place(line, database, to="hook:ops", thread=UNKNOWN_ID)
