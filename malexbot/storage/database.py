"""The database: a pool of sessions, and transactions on them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from malexbot.errors import Misconfigured, Transient
from malexbot.runtime.heart import outside
from malexbot.storage.dsn import Dsn
from malexbot.storage.failures import DatabaseRefused, DatabaseUnavailable
from malexbot.storage.session import Cursor, Session
from malexbot.storage.statement import Statement
from malexbot.storage.watch import Watch


class Fenced(Transient):
    """Another daemon has become the active one; this write did not happen."""


# What `require_turn` raises.
_NOT_OUR_TURN = "MX001"
_FENCE = "SELECT require_turn(%(epoch)s)"
_FENCED = Statement("fence", _FENCE)
_SOFTLY = Statement(
    "fence_softly",
    "SELECT set_config('synchronous_commit', 'off', true), require_turn(%(epoch)s)",
)


class Database:
    """Lends at most `size` sessions; opened when needed, kept while they live."""

    def __init__(self, dsn: Dsn, *, size: int = 8, wait_s: float = 10.0) -> None:
        self.dsn = dsn
        self._size = size
        self._wait_s = wait_s
        self._seats = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: list[Session] = []
        self._lent: set[Session] = set()
        self._closed = False
        self._was_let_in = False
        self._watch = Watch(self._at_work)

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self, *, limit_s: float | None = None) -> Iterator[Cursor]:
        """Commit what the block wrote, or roll it back if it raises.

        `limit_s` is another statement_timeout for this transaction; 0 is none.
        """
        with self._session() as session:
            with session.transaction(limit_s=limit_s) as cursor:
                yield cursor

    @contextmanager
    def fenced_transaction(self, epoch: int) -> Iterator[Cursor]:
        """A transaction that happens only while the daemon of `epoch` is active."""
        with _fencing(), self.transaction() as cursor:
            cursor.execute(_FENCE, {"epoch": epoch})
            yield cursor

    def fenced_at_once(
        self,
        epoch: int,
        statements: Sequence[Statement],
        terms: Mapping[str, object],
        *,
        is_lasting: bool = True,
    ) -> list[Any]:
        """The same in one round trip; returns the rows of the last statement.

        What is not lasting is there for everybody once it is committed; but if the
        server's machine fails within the next second it may not have happened.
        """
        fence = _FENCED if is_lasting else _SOFTLY
        with _fencing(), self._session() as session:
            return session.at_once([fence, *statements], {**terms, "epoch": epoch})

    def at_once(
        self, statements: Sequence[Statement], terms: Mapping[str, object]
    ) -> list[Any]:
        """The same without the fence."""
        with self._session() as session:
            return session.at_once(statements, terms)

    def alone(self, statement: str) -> None:
        """What PostgreSQL does in no transaction, such as VACUUM; it takes its time.

        Raises Transient if a table it needs is in use for seconds.
        """
        with self._session() as session:
            session.alone(statement)

    def close(self) -> None:
        """Close all sessions; a statement still under way fails at once."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for session in self._lent:
                session.cut()
        for session in idle:
            session.close()
        self._watch.stop()

    def _at_work(self) -> list[Session]:
        with self._lock:
            return list(self._lent)

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with outside("a free database session"):
            seated = self._seats.acquire(timeout=self._wait_s)
        if not seated:
            raise Transient(
                f"all {self._size} database sessions were busy for {self._wait_s:g} s"
            )
        try:
            session = self._take()
            try:
                yield session
            finally:
                self._put_back(session)
        finally:
            self._seats.release()

    def _open(self) -> Session:
        """Refused after it was let in is an outage: somebody is at work there."""
        try:
            session = Session(self.dsn)
        except Misconfigured as error:
            if self._was_let_in:
                raise DatabaseUnavailable(str(error)) from error
            raise
        self._was_let_in = True
        return session

    def _take(self) -> Session:
        session = self._living() or self._open()
        self._watch.start()
        with self._lock:
            self._lent.add(session)
        return session

    def _living(self) -> Session | None:
        """An idle session that is not dead; the dead ones on the way are closed."""
        while True:
            with self._lock:
                if self._closed:
                    raise Transient("the database is closed: the daemon is stopping")
                if not self._idle:
                    return None
                session = self._idle.pop()
            if not session.is_dead:
                return session
            session.close()

    def _put_back(self, session: Session) -> None:
        keep = not session.is_dead
        with self._lock:
            self._lent.discard(session)
            if keep and not self._closed:
                self._idle.append(session)
                return
        session.close()


@contextmanager
def _fencing() -> Iterator[None]:
    try:
        yield
    except DatabaseRefused as error:
        if error.sqlstate == _NOT_OUR_TURN:
            raise Fenced(str(error)) from error
        raise
