"""`malexbot erase-user`: erases what a person wrote, and keeps it away."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from malexbot.cli.database import scrubbed, swept
from malexbot.cli.kept import kept, one_person
from malexbot.cli.options import config_option, json_option
from malexbot.config.load import load
from malexbot.errors import Permanent

if TYPE_CHECKING:
    from malexbot.storage.database import Database
    from malexbot.storage.erasure import Tell

MATTERMOST = "mattermost"

ERASE = "Erase it for good?"
KEEP_OUT = "Keep nothing of theirs from now on?"

_ID = re.compile("[a-z0-9]{26}")


@click.command()
@config_option
@click.argument("who", metavar="NAME|ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--quick",
    is_flag=True,
    help="Do not write the tables anew; `malexbot database scrub` does that later.",
)
@json_option("one object")
def command(config_file: Path, who: str, yes: bool, quick: bool, is_json: bool) -> None:
    """Erase all that a person wrote here, and keep nothing of theirs from now on.

    Their posts go with all versions and reactions, from the index of the search,
    the jobs and the rejects too; no backfill brings them back. What can be pressed
    because of them goes, and what plugins keep under their id. First it shows how
    much that is, and asks. The daemon may go on running. What was cut off is done by
    doing it again, with the id.

    In the end the tables are written anew, so that nothing is left in the database's
    files; while that takes its time, what comes in waits.

    \b
    malexbot erase-user anna
    malexbot erase-user 5jx3c7k1ytd3zxs4apo8brhq7e --yes

    What others wrote stays: quotations, mentions, answers. Posts of webhooks that
    the person made are theirs, as Mattermost has it.

    --json prints one object once it is done: user_id; name; erased, how much of each
    kind; was_erased_before; is_scrubbed, whether the tables were written anew; and
    not_reached, a list of texts. The question is asked beside it.
    """
    from malexbot.storage.erasure import Erasure

    config = load(config_file)
    is_embedded = config.db is None
    with kept(config) as database:
        demand_schema(database)
        user_id, name = person(database, who)
        erasure = Erasure(database, MATTERMOST, user_id)
        counts = erasure.count()
        is_again = erasure.is_known
        click.echo("\n".join(table(name, counts, is_again=is_again)), err=is_json)
        if not yes:
            is_there = any(counts.values())
            click.confirm(ERASE if is_there else KEEP_OUT, abort=True, err=is_json)
        with progress(counts["posts"]) as tell:
            erasure.erase(tell)
        left = sum(erasure.count().values())
        if left:
            raise Permanent(f"{left} rows came in meanwhile: erase {user_id} again")
        swept(database, config.state_dir)
        if not quick:
            scrubbed(database, is_embedded=is_embedded)
    stays = tuple(not_reached(is_embedded=is_embedded, is_quick=quick))
    erased = Erased(user_id, name, counts, is_again, not quick, stays)
    if is_json:
        click.echo(json.dumps(erased._asdict(), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(ending(erased)))


class Erased(NamedTuple):
    """What was done; its names are those that programs read."""

    user_id: str
    name: str
    erased: Mapping[str, int]
    was_erased_before: bool
    is_scrubbed: bool
    not_reached: Sequence[str]


def ending(erased: Erased) -> Iterator[str]:
    """What is true from now on, and what this could not reach."""
    told = "is kept from now on; the id stays as a note."
    yield f"Erased. Nothing of {erased.user_id} {told}"
    yield "What this does not reach:"
    yield from (f"  - {each}" for each in erased.not_reached)


def demand_schema(database: Database) -> None:
    with database.transaction() as cursor:
        cursor.execute("SELECT to_regclass('grants') IS NOT NULL")
        if cursor.fetchone() != (True,):
            raise Permanent(
                "this database was made by an older malexbot: start the daemon of"
                " this one first (systemctl restart malexbot)"
            )


def person(database: Database, who: str) -> tuple[str, str]:
    """The id, and how to call them; an id may be one that nobody has met."""
    try:
        known = one_person(database, who)
    except Permanent as error:
        if not _ID.fullmatch(who):
            raise Permanent(f"{error}; an id can be erased too") from error
        return who, who
    return known.id, str(known)


def table(name: str, counts: Mapping[str, int], *, is_again: bool) -> Iterator[str]:
    """What there is of them, a kind a line."""
    from malexbot.cli.report import clean

    found = {kind: count for kind, count in counts.items() if count}
    again = ", who was erased before," if is_again else ""
    if not found:
        yield f"Of {clean(name)}{again} there is nothing here."
        return
    yield f"Of {clean(name)}{again} there is here:"
    width = max(len(f"{count:,}") for count in found.values())
    for kind, count in found.items():
        yield f"  {count:>{width},}  {kind}"


@contextmanager
def progress(posts: int) -> Iterator[Tell]:
    """A bar for who watches."""
    if not sys.stderr.isatty():
        yield lambda posts: None
        return
    with click.progressbar(length=posts, label="posts", file=sys.stderr) as bar:
        yield bar.update


def not_reached(*, is_embedded: bool, is_quick: bool) -> Iterator[str]:
    """Where something of them may still be."""
    yield "the Mattermost server, which still has it all"
    yield "backups and exports: what is restored from one has to be erased again"
    yield (
        "what others said of them, and the ids in the log (journalctl) and wherever"
        " workstream.to tells"
    )
    yield "what plugins keep without the id: of whom it is nobody can tell"
    if is_quick:
        yield "the files of the database, until `malexbot database scrub`"
    if not is_embedded:
        yield (
            "the WAL, its archive and the replicas of your PostgreSQL: they keep it"
            " until they are recycled"
        )
