"""The slash commands that we have registered on a server."""

from __future__ import annotations

from collections.abc import Sequence

from malexbot.ports import KeptCommand
from malexbot.storage.database import Database

_ALL = """
SELECT id, team_id, trigger, fingerprint FROM commands
WHERE source = %(source)s ORDER BY trigger, team_id, id
"""
_FIND = """
SELECT id, team_id, trigger, fingerprint FROM commands
WHERE source = %(source)s AND trigger = %(trigger)s AND team_id = %(team_id)s
"""
_KEEP = """
INSERT INTO commands (source, id, team_id, trigger, fingerprint)
VALUES (%(source)s, %(id)s, %(team_id)s, %(trigger)s, %(fingerprint)s)
ON CONFLICT (source, id) DO UPDATE SET team_id = excluded.team_id,
  trigger = excluded.trigger, fingerprint = excluded.fingerprint
"""
_FORGET = "DELETE FROM commands WHERE source = %(source)s AND id = %(id)s"


class DatabaseCommands:
    """Implements ports.Commands; works beside a daemon and without one."""

    def __init__(self, database: Database, source: str = "mattermost") -> None:
        self._database = database
        self._source = source

    def all(self) -> Sequence[KeptCommand]:
        return self._ask(_ALL)

    def find(self, trigger: str, team_id: str) -> Sequence[KeptCommand]:
        return self._ask(_FIND, trigger=trigger, team_id=team_id)

    def keep(self, command: KeptCommand) -> None:
        self._do(
            _KEEP,
            id=command.id,
            team_id=command.team_id,
            trigger=command.trigger,
            fingerprint=command.fingerprint,
        )

    def forget(self, id: str) -> bool:
        return self._do(_FORGET, id=id) > 0

    def _ask(self, statement: str, **terms: str) -> Sequence[KeptCommand]:
        with self._database.transaction() as cursor:
            cursor.execute(statement, {"source": self._source, **terms})
            return [KeptCommand(*row) for row in cursor.fetchall()]

    def _do(self, statement: str, **terms: str) -> int:
        with self._database.transaction() as cursor:
            cursor.execute(statement, {"source": self._source, **terms})
            return cursor.rowcount
