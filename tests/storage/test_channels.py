"""The channels as a person names them."""

from __future__ import annotations

import pytest

from malexbot.ports import ChannelNews
from malexbot.storage.bookmarks import DatabaseBookmarks
from malexbot.storage.channels import channel_names, find_channels
from malexbot.storage.database import Database
from malexbot.storage.leadership import Leadership


@pytest.fixture
def known(database: Database, leadership: Leadership) -> Database:
    """Two channels of the same name in two teams, and one, of a team nobody
    knows, that is named like an id."""
    bookmarks = DatabaseBookmarks(database, epoch=lambda: leadership.epoch)
    channels = [
        ChannelNews("id1", "red", "O", "town", "Town Square", 0, 0, team="red"),
        ChannelNews("id2", "blue", "O", "town", "Blue Town", 0, 0, team="blue"),
        ChannelNews("id3", "red", "O", "id1", "Odd", 0, 0),
    ]
    bookmarks.note("mattermost", channels)
    return database


@pytest.mark.parametrize(
    "text, ids",
    [
        ("id2", ["id2"]),
        ("id1", ["id1"]),
        ("town", ["id1", "id2"]),
        ("red/town", ["id1"]),
        ("green/town", []),
        ("green/id1", ["id3"]),
        ("~Town", ["id1", "id2"]),
        ("town square", ["id1"]),
        ("village", []),
    ],
)
def test_a_channel_is_found_by_what_people_call_it(
    known: Database, text: str, ids: list[str]
) -> None:
    assert [channel.id for channel in find_channels(known, text)] == ids


def test_it_is_known_which_ones_are_closed(known: Database) -> None:
    with known.transaction() as cursor:
        cursor.execute("UPDATE channels SET is_accessible = channel_id <> 'id1'")
    assert [each.is_accessible for each in find_channels(known, "town")] == [
        False,
        True,
    ]


def test_it_tells_itself_by_its_best_name(known: Database) -> None:
    assert [str(each) for each in find_channels(known, "id1")] == ["Town Square (id1)"]
    assert channel_names(known) == ["id1", "town"]
