"""What malexbot has kept, as the commands open it and people name what is in it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from malexbot.errors import Permanent

if TYPE_CHECKING:
    from malexbot.config.model import Config
    from malexbot.storage.channels import KnownChannel
    from malexbot.storage.database import Database
    from malexbot.storage.people import KnownPerson


@contextmanager
def kept(config: Config) -> Iterator[Database]:
    """The database, if a daemon has used it already."""
    from malexbot.storage.open import open_database

    with open_database(config) as database:
        with database.transaction() as cursor:
            cursor.execute("SELECT to_regclass('jobs') IS NOT NULL")
            if cursor.fetchone() != (True,):
                raise Permanent(
                    "no malexbot has kept anything in this database yet; start the"
                    " daemon first: systemctl start malexbot"
                )
        yield database


def demand_current(database: Database) -> None:
    """Refuse an archive that still has the tables of an older malexbot."""
    from malexbot.storage.migrate import known_migrations

    with database.transaction() as cursor:
        cursor.execute("SELECT max(number) FROM schema_version")
        (number,) = cursor.fetchone() or (0,)
    if number < known_migrations()[-1].number:
        raise Permanent(
            "the archive is still that of an older malexbot; the daemon brings it up to"
            " date when it starts: systemctl restart malexbot"
        )


def is_followed(database: Database) -> bool:
    """Yes: a daemon is active and does what waits in the queue."""
    from malexbot.storage.leadership import find_holder

    with database.transaction() as cursor:
        return find_holder(cursor) is not None


def one_channel(database: Database, text: str) -> KnownChannel:
    """The channel that is meant; raises when none is, or several are."""
    from malexbot.storage.channels import channel_names, find_channels

    found = find_channels(database, text)
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(map(str, found))
        raise Permanent(f"several channels are called {text!r}, give the id: {names}")
    close = difflib.get_close_matches(
        text.lower().lstrip("~").rpartition("/")[2], channel_names(database)
    )
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    raise Permanent(f"no channel {text!r} is known here{hint}")


def one_person(database: Database, text: str) -> KnownPerson:
    """The person who is meant; raises when nobody is, or several are."""
    from malexbot.storage.people import find_people, people_names

    found = find_people(database, text)
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(map(str, found))
        raise Permanent(f"several people are called {text!r}, give the id: {names}")
    close = difflib.get_close_matches(text.strip().lstrip("@"), people_names(database))
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    raise Permanent(f"nobody called {text!r} has written anything here{hint}")


def server(config: Config) -> str:
    """The address of the Mattermost as browsers know it; "" without one."""
    return config.mattermost.site_url if config.mattermost else ""
