"""The server, the database and the plugins that a command of these is about."""

from __future__ import annotations

import stat
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from malexbot.cli.kept import demand_current, kept
from malexbot.config.files import read_bytes
from malexbot.config.load import load
from malexbot.config.model import Config, Mattermost
from malexbot.errors import Misconfigured, Permanent
from malexbot.plugins.loader import plug
from malexbot.plugins.offers import commands
from malexbot.ports import Commands
from malexbot.storage.commands import DatabaseCommands

if TYPE_CHECKING:
    from malexbot.messengers.mattermost.administration import Administration, Wanted
    from malexbot.messengers.mattermost.client import Client

SLASH = "/slash"
MOST_BYTES = 10_000
PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Team:
    """One of the server's."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Site:
    """All that is needed to register commands."""

    config: Config
    kept: Commands
    administration: Administration | None
    teams: Sequence[Team]

    @property
    def url(self) -> str:
        """Where the server is to send the commands."""
        if not self.config.backend.public_url:
            raise Misconfigured(
                "backend.public_url is not set",
                "the server has to be told where to send the commands",
            )
        return self.config.backend.public_url + SLASH

    def offers(self, names: Sequence[str]) -> Sequence[Wanted]:
        """What is to be there: all that malexbot can do, or these of it."""
        from malexbot.messengers.mattermost.administration import Wanted

        offers = {plain(offer.name): offer for offer in commands(self.config)}
        for name in map(plain, names):
            if name not in offers:
                raise Permanent(f"no plugin offers /{name}{_meant(name, offers)}")
        return [
            Wanted(name, self.url, offer.usage, offer.help)
            for name, offer in offers.items()
            if not names or name in map(plain, names)
        ]


def plain(name: str) -> str:
    """As the server has it: without the slash, in small letters."""
    return name.strip().removeprefix("/").lower()


@contextmanager
def opened(
    config_file: Path, token_file: Path | None, teams: Sequence[str]
) -> Iterator[Site]:
    config = load(config_file, plug=plug)
    if config.mattermost is None:
        raise Permanent(f"{config_file} has no mattermost block: there is no server")
    token = _token(token_file) if token_file else None
    with ExitStack() as stack:
        database = stack.enter_context(kept(config))
        demand_current(database)
        known = DatabaseCommands(database)
        if token is None:
            yield Site(config, known, None, ())
            return
        from malexbot.messengers.mattermost.administration import Administration

        own = config.mattermost.token.get_secret_value()
        bot = _client(config.mattermost, own, stack)
        client = _client(config.mattermost, token, stack)
        found = _teams(bot, client, teams)
        yield Site(config, known, Administration(client), found)


def _client(settings: Mattermost, token: str, stack: ExitStack) -> Client:
    from malexbot.messengers.mattermost.client import Client
    from malexbot.messengers.mattermost.link import Link

    link = Link(url=settings.api_url, token=token)
    stack.callback(link.close)
    return Client(link, patience_s=PATIENCE_S)


def _teams(bot: Client, admin: Client, names: Sequence[str]) -> Sequence[Team]:
    """Those of the bot, or those that are named, whether it is in them or not."""
    rows = [*(admin.teams() if names else ()), *bot.teams()]
    known = {str(row["name"]): Team(str(row["id"]), str(row["name"])) for row in rows}
    for name in names:
        if name not in known:
            raise Permanent(f"no team {name!r} is known{_meant(name, known)}")
    found = [known[name] for name in names] if names else list(known.values())
    if not found:
        raise Permanent("the bot is in no team: invite it to one, or give --team")
    return found


def _token(file: Path) -> str:
    path = Path("/dev/stdin") if str(file) == "-" else file
    try:
        text = read_bytes(path, MOST_BYTES).decode("ascii").strip()
    except UnicodeDecodeError:
        raise Permanent(f"{file} is no file with a token") from None
    except OSError as error:
        raise Permanent(f"{file} cannot be read: {error.strerror}") from error
    if not text or any(sign.isspace() for sign in text):
        raise Permanent(f"{file} has no token in it, or more than that")
    if path == file and file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        told = f"others on this machine may read {file}: chmod 600 {file}"
        click.echo(f"warning: {told}", err=True)
    return text


def _meant(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, list(known))
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; there are {', '.join(sorted(known))}" if known else ""
