"""`malexbot stats`: how much was said, by whom, where and when."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click

from malexbot.cli.kept import demand_current, kept, one_channel, one_person, server
from malexbot.cli.moments import Written
from malexbot.cli.options import (
    channel_option,
    config_option,
    json_option,
    since_option,
    until_option,
    user_option,
)
from malexbot.config.load import load

# Where nobody looks, or nobody says how wide it is.
WIDTH = 80


@click.command()
@config_option
@channel_option
@user_option
@since_option()
@until_option()
@click.option(
    "--by",
    type=click.Choice(["channel", "person", "day", "hour"]),
    help="All of these, one a line, instead of an overview.",
)
@json_option("all of it as one object")
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
    (milliseconds), notices; files, bytes, kept and kept_bytes of files; the same as of
    all of each of channels and people; days, hours and week (from Monday, by hour).

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
        demand_current(database)
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
