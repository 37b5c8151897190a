"""`malexbot send`: says something in a channel, to a person or in a thread, once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from malexbot.cli.kept import demand_current, kept
from malexbot.cli.moments import Duration
from malexbot.cli.options import config_option, json_option, wait_option
from malexbot.config.load import load
from malexbot.errors import Permanent

# What a post of the oldest servers takes.
MOST_FILES = 5


@click.command()
@config_option
@click.argument("text", nargs=-1)
@click.option(
    "--to",
    metavar="PLACE",
    help="A channel (its name, team/name or id), a person (@name), or an incoming"
    " webhook of the settings (hook:name).",
)
@click.option(
    "--thread", metavar="POST", help="Answer in its thread: a permalink or an id."
)
@click.option(
    "--file",
    "files",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    multiple=True,
    help=f"Attach this file; may be given again, {MOST_FILES} times in all.",
)
@click.option(
    "--template",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    metavar="FILE",
    help="Send what this template says: {{ name }}, {% if name %}, as in responses.",
)
@click.option(
    "--set",
    "values",
    multiple=True,
    metavar="NAME=VALUE",
    help="What a name in the template stands for; may be given again.",
)
@click.option(
    "--key",
    default="",
    metavar="KEY",
    help="Send it there only once: who gives the key again gets the first answer."
    " It is known for 30 days.",
)
@click.option(
    "--within",
    "max_age_s",
    type=Duration(),
    metavar="TIME",
    help="Do not send it later than that, such as 30m.  [default: however late]",
)
@click.option("--ping-all", is_flag=True, help="Let @channel, @all and @here ping.")
@wait_option(False)
@json_option("one object: what was sent, or waits")
def command(
    config_file: Path,
    text: Sequence[str],
    to: str | None,
    thread: str | None,
    files: Sequence[Path],
    template: Path | None,
    values: Sequence[str],
    key: str,
    max_age_s: float | None,
    ping_all: bool,
    is_waiting: bool,
    is_json: bool,
) -> None:
    """Send TEXT as the bot; TEXT - is read from standard input.

    \b
    malexbot send --to town-square 'The backup is done.'
    malexbot send --to @alice --file report.pdf 'Here it is.'
    df -h | malexbot send --to ops/disks -
    malexbot send --to ops --template alert.txt --set host=$(hostname)
    malexbot send --to ops --key "backup-$(date -I)" --wait 'Still not done!'

    The daemon sends it, by the rules for all that it sends: it arrives once, and in
    order, whatever breaks in between. While none runs, or the server is away, it
    waits in the queue (malexbot jobs). What is too long for one message becomes
    several. The permalinks of what was sent are the output.

    A text cannot ping everybody by accident: @channel, @all and @here are only
    words without --ping-all. Names of people ping them.

    Files are uploaded by this command, at once; so it fails, and sends nothing, when
    the server is away just then. The exit code is 0 once it is in the queue, with
    --wait once it is sent; 1 if it could not be sent, 75 if it may work later.

    --json prints one object: to, is_repeat, and jobs, each with id, state, reason
    and link.
    """
    from malexbot.cli.send.answer import tell
    from malexbot.cli.send.place import Line, find_place
    from malexbot.cli.send.words import words

    if not (to or thread):
        raise click.UsageError("Say where: --to CHANNEL, --to @NAME, or --thread POST.")
    if len(files) > MOST_FILES:
        raise click.UsageError(f"One post takes {MOST_FILES} files at most.")
    config = load(config_file)
    if config.mattermost is None:
        raise Permanent(f"{config_file} has no mattermost block: nobody can be told")
    message = words(text, template, values, is_loud=ping_all)
    if not (message or files):
        raise click.UsageError("There is nothing to send: give TEXT, or --file.")

    with kept(config) as database, Line(config.mattermost) as line:
        from malexbot.cli.send.parcel import parcel
        from malexbot.storage.outbox import Outbox

        demand_current(database)
        place = find_place(line, database, to=to, thread=thread)
        outbox = Outbox(database)
        order = outbox.find(key, place.target) if key else None
        if order is None:
            parts = parcel(line, place, message, files)
            order = outbox.put(place.target, parts, key=key, max_age_s=max_age_s)
        tell(database, order, place, config, is_waiting=is_waiting, is_json=is_json)
