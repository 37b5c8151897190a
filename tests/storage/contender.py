"""A process that is the active daemon and writes: `contender.py HOW`, DSN on stdin.

How it is caught when it is stopped: `busy` between two writes, `fenced` within a
fenced transaction, `copy` within a COPY on the session of the lock.
"""

from __future__ import annotations

import json
import sys
import threading

from malexbot.errors import Transient
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.leadership import Leadership, LostLeadership

INSERT = "INSERT INTO witness (epoch, how) VALUES (%s, %s)"


class Endless:
    """What COPY reads: one line, and then nothing, without an end."""

    def __init__(self, epoch: int) -> None:
        self._rows = [f"{epoch}\tcopy\n"]

    def read(self, size: int = -1) -> str:
        if self._rows:
            return self._rows.pop()
        tell("copying")
        sys.stdin.read()
        return ""


def tell(what: str) -> None:
    print(what, flush=True)


def write(database: Database, leadership: Leadership, epoch: int) -> None:
    leadership.keep()
    with leadership.transaction() as cursor:
        cursor.execute(INSERT, (epoch, "leader"))
    with database.fenced_transaction(epoch) as cursor:
        cursor.execute(INSERT, (epoch, "fenced"))


def be_fenced(database: Database, epoch: int) -> None:
    with database.fenced_transaction(epoch) as cursor:
        cursor.execute(INSERT, (epoch, "fenced"))
        tell("inside")
        sys.stdin.read()


def be_copying(leadership: Leadership, epoch: int) -> None:
    with leadership.transaction() as cursor:
        cursor.copy_expert("COPY witness (epoch, how) FROM STDIN", Endless(epoch))


def main(how: str) -> None:
    dsn = Dsn(**json.loads(sys.stdin.readline()))
    leadership = Leadership(dsn)
    pause = threading.Event()
    with Database(dsn) as database:
        while not leadership.try_take():
            pause.wait(0.1)
        epoch = leadership.epoch
        tell(f"active {epoch}")
        try:
            if how == "fenced":
                be_fenced(database, epoch)
            if how == "copy":
                be_copying(leadership, epoch)
            while not pause.wait(0.02):
                write(database, leadership, epoch)
        except LostLeadership:
            tell("lost")
        except Transient as error:
            tell(f"failed {error}")
        finally:
            leadership.close()
        try:
            with database.fenced_transaction(epoch) as cursor:
                cursor.execute(INSERT, (epoch, "late"))
            tell("wrote late")
        except Transient:
            tell("fenced")


if __name__ == "__main__":
    main(sys.argv[1])
