"""The channels as a person names them."""

from __future__ import annotations

from dataclasses import dataclass

from malexbot.storage.database import Database

_FIND = """
SELECT channel_id, name, display_name FROM channels
WHERE channel_id = %(given)s
  OR lower(%(name)s) IN (lower(name), lower(display_name))
ORDER BY channel_id <> %(given)s, name, channel_id
"""
_NAMES = "SELECT DISTINCT name FROM channels WHERE name <> '' ORDER BY name"


@dataclass(frozen=True, slots=True)
class KnownChannel:
    """A channel that the bot is in, or was in."""

    id: str
    name: str
    display_name: str

    def __str__(self) -> str:
        return f"{self.display_name or self.name or 'without a name'} ({self.id})"


def find_channels(database: Database, text: str) -> list[KnownChannel]:
    """Those with this id, name, `team/name` or display name; an id is one channel.

    Teams are not kept by their names: of a `team/name` the name counts.
    """
    name = text.strip().lstrip("~").rpartition("/")[2]
    with database.transaction() as cursor:
        cursor.execute(_FIND, {"given": text.strip(), "name": name})
        found = [KnownChannel(*row) for row in cursor.fetchall()]
    if found and found[0].id == text.strip():
        return found[:1]
    return found


def channel_names(database: Database) -> list[str]:
    """As they stand in addresses."""
    with database.transaction() as cursor:
        cursor.execute(_NAMES)
        return [name for (name,) in cursor.fetchall()]
