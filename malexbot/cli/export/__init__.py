"""`malexbot export`: the archive as a file to read, to print or to work with."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from malexbot.cli.kept import demand_current, kept, one_channel, server
from malexbot.cli.moments import Written, readable_ms
from malexbot.cli.options import (
    channel_option,
    config_option,
    since_option,
    until_option,
)
from malexbot.cli.outcome import let_go
from malexbot.config.load import load
from malexbot.errors import EXIT_INTERRUPTED, Permanent

if TYPE_CHECKING:
    from malexbot.cli.export.make import Export
    from malexbot.cli.export.part import Begun, Part
    from malexbot.config.model import Config

FORMATS = ("jsonl", "csv", "md", "html")


@click.command()
@config_option
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="By default, as FILE ends; else jsonl.",
)
@channel_option
@since_option()
@until_option()
@click.option(
    "--out",
    "--output",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to this file instead of standard output. It is there when it is whole.",
)
@click.option("--bom", is_flag=True, help="csv: so that Excel knows it is UTF-8.")
@click.option("--anew", is_flag=True, help="Do not go on with what was begun.")
@click.pass_context
def command(
    ctx: click.Context,
    config_file: Path,
    form: str | None,
    channel: str | None,
    since: Written | None,
    until: Written | None,
    file: Path | None,
    bom: bool,
    anew: bool,
) -> None:
    """Write the kept posts, with threads, edits, reactions and files.

    \b
    jsonl  a JSON object a line, under Mattermost's names; by time
    csv    for spreadsheets; nothing that was said becomes a formula; by time
    md     Markdown; by channel and thread
    html   one page, to read and to print; by channel and thread

    Deleted posts are there too, and marked. Files that are kept (archive.files) are
    linked where they lie; jsonl tells their path and SHA-256. The daemon may go on
    running. An export to a FILE that was cut off goes on where it was: give the same
    command again.

    \b
    malexbot export --channel town-square --since 7d | jq -r .message
    malexbot export --since 2025-01 --until 2025-12 --out 2025.html
    """
    from malexbot.cli.export.make import Export

    form = form or (_form_of(file) if file else "jsonl")
    if bom and form != "csv":
        raise click.UsageError("--bom is for csv only")
    config = load(config_file)
    with kept(config) as database:
        demand_current(database)
        known = one_channel(database, channel) if channel is not None else None
        words = {
            "format": form,
            "bom": bom,
            "channel_id": known.id if known else None,
            "since": since.text if since is not None else None,
            "until": until.text if until is not None else None,
            "zone": list(time.tzname),
            "server": server(config),
            "kept_in": kept_in(config),
        }
        export = Export(database, words, since=since, until=until)
        if file is None:
            to_stdout(export)
        else:
            to_file(ctx, export, file, is_anew=anew)


def kept_in(config: Config) -> str | None:
    """The folder of the files that are kept; None where there is none to be seen."""
    from malexbot.storage.contents import Contents

    contents = Contents.of(config.state_dir)
    return str(contents.folder) if contents.place else None


def to_file(ctx: click.Context, export: Export, file: Path, *, is_anew: bool) -> None:
    """Write it, or go on with it; what is cut off is found again the next time."""
    from malexbot.cli.export.part import Begun, Part

    with Part(file) as part:
        begun = None if is_anew else part.begun(export.words)
        if begun is not None:
            told_again(begun)
        begun = begun or Begun(export.plan())
        try:
            part.start(begun)
            fill(part, export, begun)
            part.finish()
        except KeyboardInterrupt:
            part.note()
            click.echo(f"\n{_left(part)}", err=True)
            ctx.exit(EXIT_INTERRUPTED)
        except OSError as error:
            why = f"cannot write {file}: {error.strerror}"
            raise Permanent(f"{why}; {_left(part)}") from error
        posts = part.far.posts
    from malexbot.cli.export.book import readable_size

    size = readable_size(file.stat().st_size)
    click.echo(f"{posts:,} post{'' if posts == 1 else 's'} in {file} ({size})")


def fill(part: Part, export: Export, begun: Begun) -> None:
    from malexbot.cli.export.watch import watched

    far, total = part.far, sum(share.posts for share in begun.plan.shares)
    with watched(sys.stderr.isatty(), done=far.posts, total=total) as watch:
        pieces = export.pieces(begun.plan, far.place, watch, far.posts)
        with closing(pieces):
            for text, place in pieces:
                part.write(text, place)


def told_again(begun: Begun) -> None:
    posts, when = begun.far.posts, readable_ms(begun.plan.began_ms)
    told = f"goes on with the export of {when}, {posts:,} posts are there"
    click.echo(f"{told} (--anew begins anew)", err=True)


def _left(part: Part) -> str:
    return f"{part.far.posts:,} posts are there: the same command goes on with them"


def to_stdout(export: Export) -> None:
    """A piece at a time; who closes the pipe ends it."""
    from malexbot.cli.export.watch import watched

    sink, plan = sys.stdout.buffer, export.plan()
    # A bar between the rows would help nobody.
    is_shown = sys.stderr.isatty() and not sys.stdout.isatty()
    total = sum(share.posts for share in plan.shares)
    try:
        with watched(is_shown, done=0, total=total) as watch:
            with closing(export.pieces(plan, None, watch)) as pieces:
                for text, _ in pieces:
                    sink.write(text.encode())
        sink.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        let_go()
        raise Permanent(f"cannot write: {error.strerror}") from error


def _form_of(file: Path) -> str:
    """What its name says."""
    ending = file.suffix.lower().lstrip(".")
    form = {"jsonl": "jsonl", "ndjson": "jsonl", "json": "jsonl", "csv": "csv"}
    form |= {"md": "md", "markdown": "md", "html": "html", "htm": "html"}
    if ending not in form:
        raise click.UsageError(
            f"what {file.name} should be is not clear: give --format, or a name that"
            f" ends with .{', .'.join(FORMATS)}"
        )
    return form[ending]
