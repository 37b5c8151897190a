"""ports.Commands in memory."""

from __future__ import annotations

from collections.abc import Sequence

from malexbot.ports import KeptCommand


class MemoryCommands:
    """ports.Commands."""

    def __init__(self, *commands: KeptCommand) -> None:
        self.kept = {command.id: command for command in commands}

    def all(self) -> Sequence[KeptCommand]:
        return sorted(self.kept.values(), key=lambda c: (c.trigger, c.team_id, c.id))

    def find(self, trigger: str, team_id: str) -> Sequence[KeptCommand]:
        wanted = trigger, team_id
        return [c for c in self.all() if (c.trigger, c.team_id) == wanted]

    def keep(self, command: KeptCommand) -> None:
        self.kept[command.id] = command

    def forget(self, id: str) -> bool:
        return self.kept.pop(id, None) is not None
