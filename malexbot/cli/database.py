"""`malexbot database`: back up, restore, move and scrub what malexbot has kept."""

from __future__ import annotations

import gzip
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from malexbot.cli.options import InOrder, config_option
from malexbot.config.load import load
from malexbot.errors import Permanent

if TYPE_CHECKING:
    from malexbot.config.model import Config
    from malexbot.storage.database import Database


@click.group(cls=InOrder)
def command() -> None:
    """Back up, restore, move or scrub what malexbot has kept.

    \b
    malexbot database backup malexbot.gz
    """


@command.command()
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(config_file: Path, file: Path) -> None:
    """Write everything to FILE (gzip), as it is at this moment.

    The daemon may go on running. A FILE that is there is replaced once the new
    one is complete. Files that are kept (archive.files) are not in it: they lie in
    state_dir/files, and what is not there after a restore is fetched again.

    \b
    malexbot database backup malexbot.gz
    """
    from malexbot.storage.backup import counted, write_backup
    from malexbot.storage.open import open_database

    config = load(config_file)
    with open_database(config) as database:
        with whole(file) as raw, gzip.GzipFile(fileobj=raw, mode="wb") as sink:
            rows = write_backup(database, sink, tell=tell)
    size = file.stat().st_size
    click.echo(f"backed up {counted(rows)} to {file} ({size / 1e6:.1f} MB)")
    tell_of_files(config)


@command.command()
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def restore(config_file: Path, file: Path) -> None:
    """Read the backup FILE into an empty database.

    All of it or nothing: a FILE that is cut off or damaged changes nothing. No
    daemon may run on that database meanwhile.

    What was said since the backup comes in again, as far as the messengers have it.
    Nobody knows any more what became of it: what is not too old for that is answered
    and handed over once more, events with the keys that they had (Idempotency-Key).

    \b
    malexbot database restore malexbot.gz
    """
    from malexbot.storage.backup import counted
    from malexbot.storage.check import check_server
    from malexbot.storage.open import open_database
    from malexbot.storage.restore import read_backup

    config = load(config_file)
    with readable(file) as source, open_database(config) as database:
        check_server(database)
        rows = read_backup(database, source, tell=tell)
    click.echo(f"restored {counted(rows)} from {file}")


@command.command()
@config_option
@click.option(
    "--to",
    "address",
    metavar="URL",
    required=True,
    help="postgresql://user@host:port/name; the password there or in PGPASSWORD.",
)
def move(config_file: Path, address: str) -> None:
    """Copy everything into another, empty database.

    Stop the daemon first. What the old database holds stays there.

    \b
    malexbot database move --to postgresql://malexbot@db.example.org/malexbot
    """
    from malexbot.storage.backup import counted
    from malexbot.storage.check import check_server
    from malexbot.storage.database import Database
    from malexbot.storage.dsn import Dsn
    from malexbot.storage.move import move as move_all
    from malexbot.storage.open import open_database

    dsn = Dsn.from_url(address)
    with open_database(load(config_file)) as source, Database(dsn) as target:
        check_server(target)
        rows = move_all(source, target, tell=tell)
    click.echo(f"moved {counted(rows)}. Now put this into {config_file}:\n")
    click.echo(block(dsn.user, dsn.dbname, dsn.host, dsn.port))


@command.command()
@config_option
def scrub(config_file: Path) -> None:
    """Write all tables anew: what was deleted is in no file then.

    What was erased, or has expired, nobody finds in the database any more; but its
    bytes stay in the files until others are written there. Of the kept files those
    go that belong to no post any more. The daemon may go on running: what comes in
    waits for the table that is being written. It needs as much free room on the disk
    as the largest table takes.

    \b
    malexbot database scrub
    """
    from malexbot.cli.kept import demand_current, kept

    config = load(config_file)
    with kept(config) as database:
        demand_current(database)
        swept(database, config.state_dir, is_thorough=True)
        scrubbed(database, is_embedded=config.db is None)
    where = "the state directory" if config.db is None else "the tables' files"
    click.echo(f"what was deleted is not in {where} any more")


def scrubbed(database: Database, *, is_embedded: bool) -> None:
    """With the name of each table, for who watches."""
    from malexbot.storage.scrub import scrub

    scrub(database, is_embedded=is_embedded, tell=lambda name: tell(f"anew: {name}"))


def swept(database: Database, state_dir: Path, *, is_thorough: bool = False) -> None:
    """Clear away the kept files that nobody has any more, as far as they are here."""
    from malexbot.storage.clearing import (
        clear,
        clear_parts,
        clear_strangers,
        release_strays,
    )
    from malexbot.storage.contents import Contents

    contents = Contents.of(state_dir)
    if is_thorough:
        release_strays(database)
    gone = clear(database, contents)
    clear_parts(database, contents)
    if is_thorough:
        gone += clear_strangers(database, contents)
    if gone:
        tell(f"deleted: {gone:,} kept file{'' if gone == 1 else 's'}")


def tell_of_files(config: Config) -> None:
    """No backup has them."""
    from malexbot.storage.contents import Contents

    contents = Contents.of(config.state_dir)
    if contents.place:
        tell(f"the kept files lie beside it: back up {contents.folder} too")


def block(user: str, name: str, host: str, port: int) -> str:
    """The `db:` block of the config; the password is not for a terminal."""
    lines = [f"name: {name}", f"host: {host}", f"port: {port}"]
    if user:
        lines = [f"username: {user}", "password: # the one you gave", *lines]
    return "\n  ".join(["db:", *lines])


def tell(line: str) -> None:
    """Progress goes to stderr, so that the result stands alone."""
    click.echo(f"  {line}", err=True)


@contextmanager
def whole(file: Path) -> Iterator[IO[bytes]]:
    """Write a file that is there as a whole or not at all, for its owner only."""
    try:
        number, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    except OSError as error:
        raise Permanent(f"cannot write {file}: {error.strerror}") from error
    try:
        with open(number, "wb") as opened:
            yield opened
            opened.flush()
            os.fsync(number)
        os.replace(name, file)
        _sync_folder(file.parent)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise Permanent(f"cannot write {file}: {error.strerror}") from error
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def readable(file: Path) -> Iterator[IO[bytes]]:
    """The content of a backup's file."""
    try:
        opened = gzip.open(file, "rb")
    except OSError as error:
        raise Permanent(f"cannot read {file}: {error.strerror}") from error
    with opened:
        yield opened  # type: ignore[misc]
