"""`malexbot stats`: how much was said, by whom, where and when."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click

from malexbot.cli.kept import kept, one_channel, one_person, server
from malexbot.cli.moments import Moment, Written
from malexbot.cli.options import config_option
from malexbot.config.load import load

# Where nobody looks, or nobody says how wide it is.
WIDTH = 80


@click.command()
@config_option
@click.option(
    "--channel",
    metavar="CHANNEL",
    help="Only this one: its id, name, or team/name.",
)
@click.option(
    "--user", metavar="USER", help="Only what this person wrote: the name, or the id."
)
@click.option(
    "--since",
    type=Moment(),
    metavar="TIME",
    help="Only posts written then or later: 2026-01-31, '2026-01-31 18:00', or 7d.",
)
@click.option(
    "--until", type=Moment(), metavar="TIME", help="Only posts written before then."
)
@click.option(
    "--by",
    type=click.Choice(["channel", "person", "day", "hour"]),
    help="All of these, one a line, instead of an overview.",
)
@click.option("--json", "is_json", is_flag=True, help="Print all of it for programs.")
def command(
    config_file: Path,
    channel: str | None,
    user: str | None,
    since: Written | None,
    until: Written | None,
    by: str | None,
    is_json: bool,
) -> None:
    """Tell how much was said, by whom, where and when.

    Days and hours are those of your time zone. Joins, new headers and the like are
    counted apart: the server wrote them.

    --json prints one object: posts, replies, edited, deleted, first_at and last_at
    (milliseconds), notices; the same of each of channels and people; days, hours and
    week (from Monday, by hour).

    \b
    malexbot stats --since 30d
    malexbot stats --channel town-square --by person
    malexbot stats --user alice --by hour
    """
    from malexbot.cli.stats.screen import Screen
    from malexbot.cli.stats.times import Times
    from malexbot.storage.export import FOR_EVER
    from malexbot.storage.stats import count

    config = load(config_file)
    with kept(config) as database:
        stats = count(
            database,
            channel_id=one_channel(database, channel).id if channel else None,
            user_id=one_person(database, user).id if user else None,
            since=since or 0,
            until=FOR_EVER if until is None else until,
        )
    times = Times(stats.slots)
    if is_json:
        from malexbot.cli.stats.answer import answer

        click.echo(json.dumps(answer(stats, times), indent=2, ensure_ascii=False))
        return
    width = shutil.get_terminal_size((WIDTH, 0)).columns
    screen = Screen(stats, times, server=server(config), width=width)
    for line in screen.lines(by):
        click.echo(line)
