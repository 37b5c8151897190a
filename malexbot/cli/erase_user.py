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

MATTERMOST, VK = "mattermost", "vk"
SERVERS = {MATTERMOST: "the Mattermost server", VK: "VK"}

ERASE = "Erase it for good?"
KEEP_OUT = "Keep nothing of theirs from now on?"

_ID = re.compile("[a-z0-9]{26}")
# From there on it is the number of a chat.
_PERSON_OF_VK = re.compile("vk:([1-9][0-9]{0,8}|1[0-9]{9})")


class Person(NamedTuple):
    """Who is to be erased: where, by which id, and how to call them."""

    source: str
    id: str
    name: str

    def __str__(self) -> str:
        """What names them to this command."""
        return self.id if self.source == MATTERMOST else f"{self.source}:{self.id}"


@click.command()
@config_option
@click.argument("who", metavar="NAME|ID|vk:NUMBER")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--quick",
    is_flag=True,
    help="Do not write the tables anew; `malexbot database scrub` does that later.",
)
@json_option("one object")
def command(config_file: Path, who: str, yes: bool, quick: bool, is_json: bool) -> None:
    """Erase all that a person wrote here, and keep nothing more of it.

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
    malexbot erase-user vk:206295116

    Of who is at VK no archive is kept; it is the jobs that wait or were done lately,
    the rejects, what can be pressed, and what plugins keep under the number.

    What others wrote stays: quotations, mentions, answers. Posts of webhooks that
    the person made are theirs, as Mattermost has it.

    --json prints one object once it is done: source; user_id; name; erased, how much of
    each kind; was_erased_before; is_scrubbed, whether the tables were written anew; and
    not_reached, a list of texts. The question is asked beside it.
    """
    from malexbot.storage.erasure import Erasure

    config = load(config_file)
    is_embedded = config.db is None
    with kept(config) as database:
        demand_schema(database)
        meant = person(database, who)
        erasure = Erasure(database, meant.source, meant.id)
        counts = erasure.count()
        is_again = erasure.is_known
        told = table(meant.name, counts, is_again=is_again)
        click.echo("\n".join(told), err=is_json)
        if not yes:
            is_there = any(counts.values())
            click.confirm(ERASE if is_there else KEEP_OUT, abort=True, err=is_json)
        with progress(counts["posts"]) as tell:
            erasure.erase(tell)
        left = sum(erasure.count().values())
        if left:
            raise Permanent(f"{left} rows came in meanwhile: erase {meant} again")
        swept(database, config.state_dir)
        if not quick:
            scrubbed(database, is_embedded=is_embedded)
    stays = tuple(not_reached(meant, is_embedded=is_embedded, is_quick=quick))
    erased = Erased(*meant, counts, is_again, not quick, stays)
    if is_json:
        click.echo(json.dumps(erased._asdict(), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(ending(meant, stays)))


class Erased(NamedTuple):
    """What was done; its names are those that programs read."""

    source: str
    user_id: str
    name: str
    erased: Mapping[str, int]
    was_erased_before: bool
    is_scrubbed: bool
    not_reached: Sequence[str]


def ending(meant: Person, stays: Sequence[str]) -> Iterator[str]:
    """What is true from now on, and what this could not reach."""
    told = "is kept from now on; the id stays as a note."
    yield f"Erased. Nothing of {meant} {told}"
    yield "What this does not reach:"
    yield from (f"  - {each}" for each in stays)


def demand_schema(database: Database) -> None:
    with database.transaction() as cursor:
        cursor.execute("SELECT to_regclass('grants') IS NOT NULL")
        if cursor.fetchone() != (True,):
            raise Permanent(
                "this database was made by an older malexbot: start the daemon of"
                " this one first (systemctl restart malexbot)"
            )


def person(database: Database, who: str) -> Person:
    """Who is meant; an id may be one that nobody has met."""
    if who.startswith(f"{VK}:"):
        return _person_of_vk(who)
    try:
        known = one_person(database, who)
    except Permanent as error:
        if not _ID.fullmatch(who):
            raise Permanent(f"{error}; an id can be erased too") from error
        return Person(MATTERMOST, who, who)
    return Person(MATTERMOST, known.id, str(known))


def _person_of_vk(who: str) -> Person:
    """Names of people there are kept nowhere: the number has to be given."""
    found = _PERSON_OF_VK.fullmatch(who)
    if found is None:
        raise Permanent(f"{who} is no person: at VK give the number, vk:206295116")
    return Person(VK, found[1], who)


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


def not_reached(meant: Person, *, is_embedded: bool, is_quick: bool) -> Iterator[str]:
    """Where something of them may still be."""
    from malexbot.storage.naming import is_telling

    yield f"{SERVERS[meant.source]}, which still has it all"
    yield "what `route` handed on: to Redis, to HTTP targets, to other channels"
    yield "backups and exports: what is restored from one has to be erased again"
    yield (
        "what others said of them, and the ids in the log (journalctl) and wherever"
        " workstream.to tells"
    )
    yield "what plugins keep without the id: of whom it is nobody can tell"
    if not is_telling(meant.id):
        yield (
            f"plugins' values, buttons and rejects that have {meant.id} in them: a"
            " number so short may be anything"
        )
    if is_quick:
        yield "the files of the database, until `malexbot database scrub`"
    if not is_embedded:
        yield (
            "the WAL, its archive and the replicas of your PostgreSQL: they keep it"
            " until they are recycled"
        )
