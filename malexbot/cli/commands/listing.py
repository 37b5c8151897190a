"""Which slash commands are registered, and which are not yet."""

from __future__ import annotations

import json
from pathlib import Path

import click

from malexbot.cli.commands.site import Site, opened, plain
from malexbot.errors import MalexbotError
from malexbot.plugins.offers import commands

PATIENCE_S = 2.0


def listed(config_file: Path, *, is_json: bool) -> None:
    with opened(config_file, None, ()) as site:
        kept = site.kept.all()
        offers = [plain(offer.name) for offer in commands(site.config)]
        if is_json:
            rows = [
                {"command": f"/{each.trigger}", "team_id": each.team_id, "id": each.id}
                for each in kept
            ]
            click.echo(json.dumps(rows, indent=2))
            return
        names = _team_names(site) if kept else {}
    width = max((len(each.trigger) for each in kept), default=0) + 1
    for each in kept:
        team = names.get(each.team_id, each.team_id)
        stale = "" if each.trigger in offers else "  no plugin answers it any more"
        click.echo(f"{'/' + each.trigger:<{width}}  {team}{stale}")
    missing = [name for name in offers if name not in {each.trigger for each in kept}]
    if missing:
        told = ", ".join(f"/{name}" for name in missing)
        click.echo(
            f"not registered: {told}: malexbot commands register does that, if they are"
            " not made by hand (mattermost.command_tokens)",
            err=True,
        )


def _team_names(site: Site) -> dict[str, str]:
    """As far as the server tells; else they are shown by their ids."""
    from malexbot.messengers.mattermost.client import Client
    from malexbot.messengers.mattermost.link import Link

    settings = site.config.mattermost
    assert settings is not None, "it was opened"
    link = Link(url=settings.api_url, token=settings.token.get_secret_value())
    try:
        teams = Client(link, patience_s=PATIENCE_S, read_s=PATIENCE_S).teams()
    except MalexbotError:
        return {}
    finally:
        link.close()
    return {str(team["id"]): str(team["name"]) for team in teams}
