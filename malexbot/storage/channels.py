"""The channels as a person names them."""

from __future__ import annotations

from dataclasses import dataclass

from malexbot.storage.database import Database

# A team whose name is not known yet may be the one that is meant.
_FIND = """
SELECT channel_id, name, display_name, is_accessible FROM channels
WHERE channel_id = %(given)s
  OR (lower(%(name)s) IN (lower(name), lower(display_name))
    AND (%(team)s = '' OR lower(team) IN ('', lower(%(team)s))))
ORDER BY channel_id <> %(given)s, name, channel_id
"""
_NAMES = "SELECT DISTINCT name FROM channels WHERE name <> '' ORDER BY name"


@dataclass(frozen=True, slots=True)
class KnownChannel:
    """A channel that the bot is in, or was in."""

    id: str
    name: str
    display_name: str
    is_accessible: bool = True
    """No: it was archived, or the bot is not in it any more."""

    def __str__(self) -> str:
        return f"{self.display_name or self.name or 'without a name'} ({self.id})"


def find_channels(database: Database, text: str) -> list[KnownChannel]:
    """Those with this id, name, `team/name` or display name; an id is one channel."""
    team, _, name = text.strip().lstrip("~").rpartition("/")
    with database.transaction() as cursor:
        cursor.execute(_FIND, {"given": text.strip(), "name": name, "team": team})
        found = [KnownChannel(*row) for row in cursor.fetchall()]
    if found and found[0].id == text.strip():
        return found[:1]
    return found


def channel_names(database: Database) -> list[str]:
    """As they stand in addresses."""
    with database.transaction() as cursor:
        cursor.execute(_NAMES)
        return [name for (name,) in cursor.fetchall()]
