"""`malexbot commands`: the slash commands that the server has of malexbot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from malexbot.cli.options import Decorator, InOrder, config_option, json_option


@click.group(cls=InOrder)
def command() -> None:
    """Make the slash commands known to the server, or take them back.

    What the plugins offer, and /malex, the server learns by `register`. Mattermost lets
    no bot do that: it takes a token of somebody who may, used once and not kept. Make
    one under Profile > Security > Personal Access Tokens, put it into a file, and
    delete it there afterwards.

    \b
    malexbot commands list
    malexbot commands register --admin-token-file admin.token
    """


def admin_token_option(is_required: bool) -> Decorator:
    return click.option(
        "--admin-token-file",
        "token_file",
        type=click.Path(path_type=Path),
        required=is_required,
        metavar="FILE",
        help="The file with the token of somebody who may manage slash commands; - is"
        " standard input.",
    )


teams_option = click.option(
    "--team",
    "teams",
    multiple=True,
    metavar="NAME",
    help="Only in this team; may be given again.  [default: each that the bot is in]",
)


@command.command()
@config_option
@admin_token_option(True)
@teams_option
@click.option(
    "--take-over",
    "is_taking",
    is_flag=True,
    help="Also those that lead to another address, as of a bot that malexbot replaces.",
)
@click.option("--dry-run", "is_dry", is_flag=True, help="Only tell what it would do.")
@click.argument("names", nargs=-1, metavar="[/COMMAND]...")
def register(
    config_file: Path,
    token_file: Path,
    teams: Sequence[str],
    is_taking: bool,
    is_dry: bool,
    names: Sequence[str],
) -> None:
    """Tell the server what malexbot can do.

    \b
    malexbot commands register --admin-token-file admin.token
    malexbot commands register --admin-token-file admin.token --team ops /deploy
    pass show mattermost/admin | malexbot commands register --admin-token-file -

    All of it, or the commands that are named. Those that are there are brought up to
    date; it may be done as often as you like, and should be after each change of the
    plugins. Their calls go to backend.public_url, and the fingerprints of their tokens
    are kept in the database: the daemon takes calls of new ones at once.
    """
    from malexbot.cli.commands.registering import Register
    from malexbot.cli.commands.site import opened

    with opened(config_file, token_file, teams) as site:
        work = Register(site, is_taking=is_taking, is_dry=is_dry)
        work.run(site.offers(names))


@command.command("list")
@config_option
@json_option("a list of objects: command, team_id, id")
def list_commands(config_file: Path, is_json: bool) -> None:
    """List what is registered, and what is not.

    \b
    malexbot commands list
    """
    from malexbot.cli.commands.listing import listed

    listed(config_file, is_json=is_json)


@command.command()
@config_option
@admin_token_option(False)
@teams_option
@click.option(
    "--only-here",
    "is_only_here",
    is_flag=True,
    help="Leave it on the server; its calls are refused from then on.",
)
@click.argument("names", nargs=-1, required=True, metavar="/COMMAND...")
def forget(
    config_file: Path,
    token_file: Path | None,
    teams: Sequence[str],
    is_only_here: bool,
    names: Sequence[str],
) -> None:
    """Take commands back.

    \b
    malexbot commands forget --admin-token-file admin.token /deploy
    malexbot commands forget --only-here /deploy

    They go from the server, and from what malexbot keeps to know their calls by.
    """
    from malexbot.cli.commands.registering import forgotten
    from malexbot.cli.commands.site import opened

    if not (token_file or is_only_here):
        raise click.UsageError("Give --admin-token-file, or --only-here.")
    if is_only_here and (token_file or teams):
        raise click.UsageError("--only-here asks no server: give the names alone.")
    with opened(config_file, token_file, teams) as site:
        forgotten(site, names)
