"""`malexbot doctor`: would malexbot do its work here, and what is to be changed?"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from malexbot.cli.options import config_option, json_option
from malexbot.config.load import load_with_warnings
from malexbot.config.model import Config
from malexbot.plugins.loader import plug

if TYPE_CHECKING:
    from malexbot.cli.doctor.checks import Theme


@click.command()
@config_option
@click.option(
    "--send",
    "is_sending",
    is_flag=True,
    help="Post a message too, hear it come back, and delete it.",
)
@click.option(
    "--channel",
    metavar="CHANNEL",
    default="",
    help="Where to post it: an id or team/channel. By default"
    " mattermost.test_channel_id, or the first channel that is listened to.",
)
@json_option("one object")
def command(config_file: Path, is_sending: bool, channel: str, is_json: bool) -> None:
    """Look at all that malexbot needs, and tell what to change where.

    \b
    ✓ is well                  ! works, and could be better
    ✗ is wrong                 – was not asked, or cannot be known

    It asks the Mattermost server (the token, the bot and its channels, SiteURL, the
    clock, TLS, the proxy, the websocket, whether it reaches backend.public_url), VK
    (the token, its rights, the events that are switched on), whether somebody is there
    at redis, http and workstream, the database (its rights, its schema, by writing to
    it) and this machine (disk, port).
    Nothing that it does stays; only an archive that keeps all keeps, as deleted, what
    --send posts. It takes 25 seconds at most, with --send 40, whatever hangs.

    The exit code is 0 if nothing is wrong, 1 if something is, and 78 if the
    configuration is. --json prints one object: is_well; summary; findings, each with
    what and cure; and checks, each with name, state (ok, advice, fault, unasked), what
    and cure.

    \b
    malexbot doctor
    malexbot doctor --send --channel myteam/town-square
    """
    if channel and not is_sending:
        raise click.UsageError("--channel says where --send posts: give both")
    loaded = load_with_warnings(config_file, plug=plug)
    loaded.require_plugins()
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)

    # Heavy: a bad configuration is told before they are imported.
    from malexbot.cli.doctor.checks import THEME_S, examine
    from malexbot.cli.doctor.sending import LIMIT_S
    from malexbot.cli.doctor.telling import as_dict, is_well, show, summary

    themes = _themes(loaded.config, config_file, channel if is_sending else None)
    found = examine(themes, seconds=THEME_S + (LIMIT_S if is_sending else 0))
    if is_json:
        findings = list(found)
        click.echo(json.dumps(as_dict(findings), indent=2))
    else:
        findings = show(found)
        colour = "green" if is_well(findings) else "red"
        click.secho(summary(findings), fg=colour, bold=True)
    sys.stdout.flush()
    sys.exit(0 if is_well(findings) else 1)


def _themes(config: Config, config_file: Path, send_to: str | None) -> Sequence[Theme]:
    """In the order of their lines; `send_to`: None sends nothing."""
    from malexbot.cli.doctor import database, machine, mattermost, targets, vk

    return (
        mattermost.theme(config, config_file, send_to),
        vk.theme(config, config_file),
        targets.theme(config, config_file),
        database.theme(config),
        machine.theme(config),
    )
