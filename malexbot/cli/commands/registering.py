"""Makes, changes and takes back slash commands, and keeps what proves their calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from malexbot.cli.commands.site import Site, Team, plain
from malexbot.errors import MalexbotError, Permanent
from malexbot.messengers.mattermost.administration import (
    Administration,
    Known,
    Wanted,
)
from malexbot.messengers.mattermost.failures import Forbidden, Rejected, Unauthorised
from malexbot.ports import KeptCommand

DUPLICATE = "api.command.duplicate_trigger.app_error"


class Register:
    """Brings the commands of each team to what they should be."""

    def __init__(self, site: Site, *, is_taking: bool, is_dry: bool) -> None:
        assert site.administration is not None, "a token was given"
        self._site = site
        self._server: Administration = site.administration
        self._is_taking = is_taking
        self._is_dry = is_dry
        self._refused: list[str] = []

    def run(self, wanted: Sequence[Wanted]) -> None:
        """Raises in the end if something was left as it is."""
        for team in self._site.teams:
            with _explained(team):
                self._in_team(team, wanted)
        if self._refused:
            names = ", ".join(dict.fromkeys(self._refused))
            raise MalexbotError(f"not registered everywhere: {names}")

    def _in_team(self, team: Team, wanted: Sequence[Wanted]) -> None:
        there = {known.trigger: known for known in self._server.commands(team.id)}
        ours = {kept.id for kept in self._site.kept.all() if kept.team_id == team.id}
        self._drop_gone(team, ours - {known.id for known in there.values()})
        for each in wanted:
            known = there.get(each.trigger)
            if known is None:
                self._make(team, each)
            elif known.url != each.url and known.id not in ours and not self._is_taking:
                self._refuse(
                    each, team, f"leads to {known.url}: --take-over changes it"
                )
            elif known.is_as(each, team.id):
                self._keep(team, known, "is as it should be")
            else:
                self._change(team, known, each)

    def _make(self, team: Team, wanted: Wanted) -> None:
        if self._is_dry:
            return _tell(team, wanted.trigger, "would be made")
        try:
            known = self._server.make(wanted, team.id)
        except Rejected as error:
            if error.id != DUPLICATE:
                raise
            return self._refuse(wanted, team, "is a command of the server itself")
        self._keep(team, known, "is made")

    def _change(self, team: Team, known: Known, wanted: Wanted) -> None:
        if self._is_dry:
            return _tell(team, known.trigger, "would be changed")
        self._keep(team, self._server.change(known, wanted, team.id), "is changed")

    def _keep(self, team: Team, known: Known, told: str) -> None:
        """What its calls will show; the token itself goes no further."""
        if not self._is_dry:
            token = known.token or self._server.new_token(known.id)
            kept = KeptCommand.of(
                id=known.id, team_id=team.id, trigger=known.trigger, token=token
            )
            self._site.kept.keep(kept)
        _tell(team, known.trigger, told)

    def _drop_gone(self, team: Team, ids: set[str]) -> None:
        """Whoever has the token of what the server has no more proves nothing."""
        for kept in self._site.kept.all():
            if kept.id in ids and not self._is_dry:
                self._site.kept.forget(kept.id)
                _tell(team, kept.trigger, "is no more on the server: forgotten")

    def _refuse(self, wanted: Wanted, team: Team, why: str) -> None:
        self._refused.append(f"/{wanted.trigger}")
        click.echo(f"{_place(team, wanted.trigger)} {why}", err=True)


def forgotten(site: Site, names: Sequence[str]) -> None:
    """Take them back; raises if none of a name was known."""
    teams = {team.id: team for team in site.teams}
    for name in map(plain, names):
        found = [
            kept
            for kept in site.kept.all()
            if kept.trigger == name and (kept.team_id in teams or not teams)
        ]
        if not found:
            raise Permanent(f"/{name} is not registered: see malexbot commands list")
        for kept in found:
            team = teams.get(kept.team_id, Team(kept.team_id, kept.team_id))
            _forget(site, kept, team)


def _forget(site: Site, kept: KeptCommand, team: Team) -> None:
    """First on the server: what is still there must not be unknown here."""
    told = "is forgotten"
    if site.administration is not None:
        with _explained(team):
            site.administration.delete(kept.id)
        told = "is taken back"
    site.kept.forget(kept.id)
    _tell(team, kept.trigger, told)


def _place(team: Team, trigger: str) -> str:
    return f"{team.name}: /{trigger}"


def _tell(team: Team, trigger: str, told: str) -> None:
    click.echo(f"{_place(team, trigger)} {told}")


@contextmanager
def _explained(team: Team) -> Iterator[None]:
    """What the server refuses, in words that say what to do."""
    try:
        yield
    except Unauthorised as error:
        raise Permanent("the server refuses the token in that file") from error
    except Forbidden as error:
        raise Permanent(
            f"{team.name}: whose token that is may not manage slash commands there;"
            " a team's or the system's administrator may"
        ) from error
