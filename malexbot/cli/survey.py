"""What the daemon and the database tell of how it goes; each of them may be away."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple, TypeVar

from malexbot.config.backend import Backend
from malexbot.config.model import Config
from malexbot.errors import MalexbotError, Permanent
from malexbot.storage.archive import Archive, ChannelState, Gap
from malexbot.storage.backlog import Backlog
from malexbot.storage.database import Database
from malexbot.storage.failures import DatabaseRefused
from malexbot.storage.files import FileCounts, count_files
from malexbot.storage.indexing import Lag, find_lag
from malexbot.storage.leadership import Holder, find_holder
from malexbot.storage.open import is_made, open_database

# The daemon answers from memory: what takes longer hangs.
PATIENCE_S = 5.0

LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}
NOBODY = "nothing listens there"
_NO_SUCH_TABLE = "42P01"

Told = TypeVar("Told")


class Silent(Exception):
    """The daemon tells nothing; why."""


class Part(NamedTuple):
    """A part of the daemon, in its own words."""

    name: str
    state: str
    is_ready: bool


@dataclass(frozen=True, slots=True)
class DaemonView:
    """What an active daemon says of itself."""

    version: str
    parts: Sequence[Part]
    readings: Mapping[str, Any]

    def number(self, name: str, **labels: str) -> float:
        """A reading, or the sum over those with these labels; 0 when there is none."""
        found = self.readings.get(f"malexbot_{name}", 0)
        if isinstance(found, list):
            rows = [row for row in found if labels.items() <= row["labels"].items()]
            return float(sum(row["value"] for row in rows))
        return float(found)


@dataclass(frozen=True, slots=True)
class DatabaseView:
    """What is durable."""

    holder: Holder | None
    channels: Sequence[ChannelState]
    gaps: Sequence[Gap]
    jobs: Mapping[str, int]
    rejects: int
    lost: Sequence[Gap] = ()
    """What a messenger lost within a day."""
    unindexed: Lag = Lag(0, 0.0)
    """What the search does not know by its index yet."""
    files: FileCounts = FileCounts()
    """Those that hang on kept posts."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Both, as far as they could be asked."""

    address: str
    daemon: DaemonView | None = None
    silence: str = ""
    """Why the daemon tells nothing."""
    database: DatabaseView | None = None
    outage: str = ""
    """Why the database tells nothing."""
    is_refused: bool = False
    """Yes: it never will as it is; `outage` tells the way out."""
    is_new: bool = False
    """Yes: malexbot never ran on this database."""


def survey(config: Config) -> Survey:
    """Ask both; a failure of one is part of the answer."""
    answer: dict[str, Any] = {"address": address(config.backend)}
    try:
        answer["daemon"] = ask_daemon(config.backend)
    except Silent as error:
        answer["silence"] = str(error)
    try:
        answer |= _ask_database(config)
    except MalexbotError as error:
        answer["outage"] = str(error)
        answer["is_refused"] = isinstance(error, Permanent)
    return Survey(**answer)


def address(backend: Backend) -> str:
    """Where the daemon is asked: what listens everywhere also listens at home."""
    host = LOOPBACK.get(backend.host, backend.host)
    return f"[{host}]:{backend.port}" if ":" in host else f"{host}:{backend.port}"


def ask_daemon(backend: Backend) -> DaemonView:
    """What it tells at `/status`; raises Silent."""
    if not backend.port:
        raise Silent("backend.port is 0, so nobody knows which port it has")
    host = LOOPBACK.get(backend.host, backend.host)
    line = HTTPConnection(host, backend.port, timeout=PATIENCE_S)
    try:
        line.request("GET", "/status")
        return _parse(line.getresponse().read())
    except TimeoutError:
        raise Silent(f"no answer within {PATIENCE_S:.0f} s") from None
    except ConnectionRefusedError:
        raise Silent(NOBODY) from None
    except OSError as error:
        raise Silent(error.strerror or str(error)) from error
    except (HTTPException, ValueError, LookupError, TypeError, AttributeError):
        raise Silent("what answers there is no malexbot") from None
    finally:
        line.close()


def _parse(body: bytes) -> DaemonView:
    told = json.loads(body)
    parts = [
        Part(name, part["state"], part["is_ready"])
        for name, part in told["parts"].items()
    ]
    return DaemonView(told["malexbot"], parts, told["readings"])


def _ask_database(config: Config) -> dict[str, Any]:
    if not is_made(config):
        return {"is_new": True}
    with open_database(config, size=1) as database:
        try:
            return {"database": look(database, largest=config.archive.largest_file)}
        except DatabaseRefused as error:
            if error.sqlstate != _NO_SUCH_TABLE:
                raise
            return {"is_new": True}


def look(database: Database, *, largest: int) -> DatabaseView:
    archive = Archive(database)
    with database.transaction() as cursor:
        holder = find_holder(cursor)
    return DatabaseView(
        holder=holder,
        channels=archive.channels(),
        gaps=archive.gaps(),
        lost=archive.lost(),
        jobs=Backlog(database).count(),
        rejects=archive.rejects(),
        unindexed=_known(lambda: find_lag(database), Lag(0, 0.0)),
        files=_known(lambda: count_files(database, largest=largest), FileCounts()),
    )


def _known(ask: Callable[[], Told], unknown: Told) -> Told:
    """Unknown, as long as a daemon of an older version has not made its table."""
    try:
        return ask()
    except DatabaseRefused as error:
        if error.sqlstate != _NO_SUCH_TABLE:
            raise
        return unknown
