"""How much was said, counted by the database."""

from __future__ import annotations

import pytest

from malexbot.storage.database import Database
from malexbot.storage.export import Share
from malexbot.storage.stats import SLOT_MS, Count, count
from tests.storage.conftest import Look

ROWS = """
INSERT INTO posts (id, channel_id, user_id, root_id, type, message, create_at,
  update_at, edit_at, delete_at, raw, kept_from) VALUES
('a', 'c1', 'u1', '', '', '', 100, 0, 0, 0, '{}', 0),
('b', 'c1', 'u2', 'a', '', '', 200, 0, 5, 0, '{}', 0),
('c', 'c1', 'u1', 'a', 'custom_x', '', 300, 0, 5, 9, '{}', 0),
('d', 'c2', 'u1', '', '', '', 1000000, 0, 0, 0, '{}', 0),
('e', 'c2', 'u3', '', 'system_join_channel', '', 400, 0, 0, 0, '{}', 0)
"""
CHANNELS = """
INSERT INTO channels (source, channel_id, type, name, display_name)
VALUES ('mattermost', 'c1', 'O', 'town', 'Town'), ('mattermost', 'c9', 'O', 'x', '')
"""


@pytest.fixture(autouse=True)
def rows(look: Look) -> None:
    look(ROWS.replace("%", "%%"))
    look(CHANNELS)
    look("INSERT INTO people VALUES ('mattermost', 'u1', 'alice')")


def test_posts_are_counted_by_channel_and_person(database: Database) -> None:
    stats = count(database)
    assert stats.whole == Count(4, 2, 2, 1, 100, 1_000_000)
    assert stats.channels == {
        "c1": Count(3, 2, 2, 1, 100, 300),
        "c2": Count(1, 0, 0, 0, 1_000_000, 1_000_000),
    }
    assert stats.people == {
        "u1": Count(3, 1, 1, 1, 100, 1_000_000),
        "u2": Count(1, 1, 1, 0, 200, 200),
    }


def test_what_the_server_wrote_is_counted_apart(database: Database) -> None:
    assert count(database).notices == 1
    assert count(database, user_id="u3").whole == Count()


def test_times_are_told_by_the_quarter_of_an_hour(database: Database) -> None:
    assert list(count(database).slots) == [(0, 3), (1_000_000 // SLOT_MS, 1)]


def test_names_come_with_it_the_largest_channel_first(database: Database) -> None:
    stats = count(database)
    assert stats.names == {"u1": "alice"}
    assert stats.shares == [
        Share("c1", "O", "town", "Town", 3, 100, 300),
        Share("c2", "", "", "", 1, 1_000_000, 1_000_000),
    ]


def test_only_what_is_wanted_is_counted(database: Database) -> None:
    assert count(database, channel_id="c1").whole.posts == 3
    assert count(database, user_id="u1").whole.posts == 3
    assert count(database, since=200, until=300).whole.posts == 1
    assert count(database, since=200, until=300).slots == [(0, 1)]
