"""One active daemon a database: a lock for who is alive, an epoch for who is not.

The lock belongs to one session, and goes with it. Its holder shows its life on that
session each second. Each new holder raises `epoch`, so what an older one still sends
on any other session is refused there.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from malexbot import __version__
from malexbot.errors import MalexbotError, Transient
from malexbot.runtime.heart import outside
from malexbot.storage.dsn import Dsn
from malexbot.storage.failures import DatabaseRefused, DatabaseUnavailable
from malexbot.storage.keys import DAEMON
from malexbot.storage.session import Cursor, Session
from malexbot.storage.watch import Watch

# By this name a standby knows a daemon's session from a command that holds the lock.
SESSION_NAME = "malexbot daemon"

# A session that its daemon left alone for so long is taken from it.
SILENT_S = 3.0
# How long a session that was ended, or a writer, may take to be through.
_GRACE = "500ms"
_RAISES = 4

_LOCK_NOT_AVAILABLE = "55P03"

_HELD = """
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database()
  AND l.classid = %s AND l.objid = %s AND l.objsubid = 2
  AND a.application_name = %s
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_HOLDER = f"""
SELECT host, pid, version, taken_at FROM daemon WHERE EXISTS (SELECT {_HELD})
"""
_LIFE = f"""
SELECT a.pid, a.state, a.state_change, {{progress}},
  a.state LIKE 'idle%%', a.wait_event_type IS NOT DISTINCT FROM 'Client',
  extract(epoch FROM clock_timestamp() - a.state_change)::float8
{_HELD}
"""
_PROGRESS = (
    "(SELECT c.bytes_processed FROM pg_stat_progress_copy c WHERE c.pid = a.pid)"
)
_RAISE = """
UPDATE daemon
SET epoch = epoch + 1, host = %s, pid = %s, version = %s, taken_at = clock_timestamp()
RETURNING epoch
"""
# Each server that is promoted begins a timeline of its own.
_TIMELINE = "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
# Fenced writers share a lock on the row of `daemon`.
_END_WRITERS = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE relation = 'daemon'::regclass AND mode = 'RowShareLock' AND granted
  AND pid <> pg_backend_pid()
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class LostLeadership(Transient):
    """We are not the active daemon any more, and have written nothing since."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The daemon that is active now."""

    host: str
    pid: int
    version: str
    since: datetime

    def __str__(self) -> str:
        return (
            f"pid {self.pid} on {self.host} (since {self.since:%Y-%m-%d %H:%M:%S} UTC)"
        )


def find_holder(cursor: Cursor) -> Holder | None:
    """The active daemon of this database, if there is one."""
    cursor.execute(_HOLDER, (*DAEMON, SESSION_NAME))
    found = cursor.fetchone()
    return Holder(*found) if found else None


class Leadership:
    """Our claim to be the active daemon, on a session of its own.

    One thread takes and keeps it; another one may write through transaction().
    After LostLeadership, try_take() is how to get it back, or to learn who has it.
    """

    def __init__(self, dsn: Dsn) -> None:
        self._dsn = dsn
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._epoch: int | None = None
        self.timeline = ""
        """That of the server when our turn began; "" if it does not tell."""
        self._suspect = _Suspect()
        self._watch = Watch(self._sessions)

    @property
    def epoch(self) -> int:
        """The number of our turn, for fenced transactions elsewhere."""
        if self._epoch is None:
            raise LostLeadership("this daemon is not the active one")
        return self._epoch

    def try_take(self) -> bool:
        """Yes: we are the active daemon. A holder that shows no life is ended."""
        with self._alone(), self._losing():
            if self._epoch is not None and self._session and not self._session.is_dead:
                return True
            self._epoch = None
            session = self._living()
            if not self._lock_at_once(session) and not self._inherit(session):
                return False
            epoch = _raise_epoch(session)
            # Who could write is a replica no more: now it is its own.
            self.timeline = _timeline(session)
            self._epoch = epoch
            return True

    def keep(self) -> None:
        """Show that we live; a session that is at work shows it by that."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            with (
                self._leading() as session,
                session.transaction(limit_s=SILENT_S) as cursor,
            ):
                cursor.execute("SELECT 1")
        finally:
            self._lock.release()

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """Write on the very session that holds the lock: no lock, no commit."""
        with self._alone(), self._leading() as session:
            with session.transaction() as cursor:
                yield cursor

    def holder(self) -> Holder | None:
        """The active daemon, as a standby shows it."""
        with self._alone(), self._losing():
            with self._living().transaction() as cursor:
                return find_holder(cursor)

    def close(self) -> None:
        """Give the lock up, if we have it; a standby may take it at once."""
        with self._alone():
            self._unlock()
            self._drop()
        self._watch.stop()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One thread at a time; who waits for another one waits for the database.

        So does the other one, and its time-outs bound both waits.
        """
        with outside("the session of the lock"):
            self._lock.acquire()
        try:
            yield
        finally:
            self._lock.release()

    def _unlock(self) -> None:
        """The end of the session would do it too, but a moment later."""
        if self._session is None or self._epoch is None:
            return
        with suppress(MalexbotError), self._session.transaction(limit_s=2) as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", DAEMON)

    def _sessions(self) -> list[Session]:
        session = self._session
        return [session] if session else []

    def _living(self) -> Session:
        if self._session is None or self._session.is_dead:
            self._drop()
            self._session = Session(self._dsn, name=SESSION_NAME)
            self._watch.start()
        return self._session

    @contextmanager
    def _leading(self) -> Iterator[Session]:
        """The session that holds the lock; if it is gone, so is the leadership."""
        if self._session is None or self._epoch is None:
            raise LostLeadership("this daemon is not the active one")
        try:
            yield self._session
        except MalexbotError as error:
            if not self._session.is_dead:
                raise
            self._drop()
            raise LostLeadership(f"lost the lock: {error}") from error

    @contextmanager
    def _losing(self) -> Iterator[None]:
        """A lock that was half taken is not kept."""
        try:
            yield
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        self._epoch = None
        if self._session is not None:
            self._session.close()
            self._session = None

    @staticmethod
    def _lock_at_once(session: Session) -> bool:
        with session.transaction() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", DAEMON)
            return cursor.fetchone() == (True,)

    def _inherit(self, session: Session) -> bool:
        """Yes: the holder showed no life; its session is ended and we have its lock."""
        silent = self._suspect.examine(session)
        if silent is None:
            return False
        with session.transaction() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", (silent,))
        return _in_time(session, "SELECT pg_advisory_lock(%s, %s)", DAEMON) is not None


def _in_time(
    session: Session, statement: str, values: tuple[object, ...]
) -> tuple[object, ...] | None:
    """The answer of a statement that waits for others; None if they take too long."""
    try:
        with session.transaction() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", (_GRACE,))
            cursor.execute(statement, values)
            return cursor.fetchone()
    except DatabaseUnavailable as error:
        if error.sqlstate != _LOCK_NOT_AVAILABLE:
            raise
        return None


def _raise_epoch(session: Session) -> int:
    """The new epoch, once no writer of the old one is left.

    Their transactions get a moment to end; then their sessions are ended, for a
    stopped process would hold us up for ever.
    """
    me = (socket.gethostname(), os.getpid(), __version__)
    for _ in range(_RAISES):
        raised = _in_time(session, _RAISE, me)
        if raised is not None:
            return int(str(raised[0]))
        with session.transaction() as cursor:
            cursor.execute(_END_WRITERS)
    raise DatabaseUnavailable("writers of the former daemon do not end")


def _timeline(session: Session) -> str:
    try:
        with session.transaction() as cursor:
            cursor.execute(_TIMELINE)
            found = cursor.fetchone()
    except DatabaseRefused:  # as who speaks the protocol only does
        return ""
    return str(found[0]) if found else ""


class _Suspect:
    """The holder as a standby sees it, from one look to the next."""

    def __init__(self) -> None:
        self._picture: tuple[object, ...] = ()
        self._seen_at = 0.0

    def examine(self, session: Session) -> int | None:
        """The server process of a holder that showed no life for SILENT_S.

        Idle that long, by the server's clock: the daemon's pings stay away. Within
        a statement that waits for its daemon (a COPY, a long answer): the same
        picture for so long, by ours.
        """
        with session.transaction() as cursor:
            new = session.version >= 140000
            progress = _PROGRESS if new else "NULL"
            cursor.execute(_LIFE.format(progress=progress), (*DAEMON, SESSION_NAME))
            found = cursor.fetchone()
        if found is None:
            return None
        *picture, is_idle, waits_for_client, idle_s = found
        if tuple(picture) != self._picture:
            self._picture, self._seen_at = tuple(picture), time.monotonic()
        if is_idle:
            is_silent = idle_s > SILENT_S
        else:
            still_s = time.monotonic() - self._seen_at
            is_silent = waits_for_client and still_s > SILENT_S
        return int(picture[0]) if is_silent else None
