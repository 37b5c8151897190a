"""What malexbot tells of itself in a chat."""

from __future__ import annotations

from malexbot.ports.insight import Tally
from malexbot.storage.database import Database
from malexbot.storage.insight import DatabaseInsight
from tests.storage.conftest import Look

ROWS = """
INSERT INTO posts (id, channel_id, user_id, root_id, type, message, create_at,
  update_at, edit_at, delete_at, raw, kept_from) VALUES
('a', 'c1', 'u1', '', '', '', 100, 0, 0, 0, '{}', 0),
('b', 'c1', 'u2', 'a', '', '', 200, 0, 5, 0, '{}', 0),
('c', 'c1', 'u1', 'a', 'custom_x', '', 300, 0, 5, 0, '{}', 0),
('x', 'c1', 'u1', 'a', '', '', 50, 0, 5, 9, '{}', 0),
('d', 'c2', 'u3', '', '', '', 10, 0, 0, 0, '{}', 0),
('e', 'c1', 'u3', '', 'system_join_channel', '', 40, 0, 0, 0, '{}', 0)
"""


def test_a_channel_is_counted_by_people(database: Database, look: Look) -> None:
    look(ROWS)
    look("INSERT INTO people VALUES ('mattermost', 'u1', 'alice')")
    insight = DatabaseInsight(database, dict)
    assert insight.tally("c1") == Tally(3, 2, 100, [("alice", 2), ("u2", 1)])
    assert insight.tally("c9") == Tally()


def test_the_parts_are_told_as_they_feel(database: Database) -> None:
    states = {"intake": {"state": "writes", "is_ready": True}}
    assert DatabaseInsight(database, lambda: states).parts() == {
        "intake": ("writes", True)
    }
