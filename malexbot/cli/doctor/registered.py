"""Whether the slash commands that malexbot has are known here, so that they work."""

from __future__ import annotations

from collections.abc import Iterator

from malexbot.cli.doctor.checks import Verdict, advice, ok
from malexbot.config.model import Config
from malexbot.plugins.offers import commands
from malexbot.storage.commands import DatabaseCommands
from malexbot.storage.database import Database


def registered(config: Config, database: Database) -> Verdict:
    """Registered, or made by hand and named in the settings."""
    with database.transaction() as cursor:
        cursor.execute("SELECT to_regclass('commands') IS NOT NULL")
        if cursor.fetchone() != (True,):
            return ok("none yet; the first start makes their table")
    known = {kept.trigger for kept in DatabaseCommands(database).all()}
    known |= set(_by_hand(config))
    offered = [offer.name.removeprefix("/").lower() for offer in commands(config)]
    missing = [name for name in offered if name not in known]
    if missing:
        return advice(
            f"not registered: {_named(missing)}; people cannot give them",
            "malexbot commands register --admin-token-file FILE",
        )
    return ok(f"registered: {_named(offered)}")


def _by_hand(config: Config) -> Iterator[str]:
    if config.mattermost:
        for name in config.mattermost.command_tokens:
            yield name.rpartition("/")[2]


def _named(names: list[str]) -> str:
    return ", ".join(f"/{name}" for name in names)
