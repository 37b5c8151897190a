"""Tells the workstream log to a logging service: one connection a record.

It is sent the JSON `{"name", "mode", "text"}` and answers with what has "202" in it if
it takes that, and "406" if it does not.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence

import orjson

from malexbot.errors import Permanent, Transient
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.record import Record
from malexbot.runtime.unreached import why_unreached
from malexbot.runtime.workstream import TIME_OUT_S, Unsent

TAKEN, REFUSED = b"202", b"406"
# An answer is a word; whoever says more is somebody else.
MOST_READ = 1024


class Tcp:
    """Knows no state: who hangs costs one record, and the time of it."""

    most = 1

    def __init__(
        self, name: str, address: tuple[str, int], *, time_out_s: float = TIME_OUT_S
    ) -> None:
        self.name = name
        self._address = address
        self._time_out_s = time_out_s

    def write(self, records: Sequence[Record]) -> None:
        for record in records:
            self._tell(body(record))

    def close(self) -> None:
        """Each connection is closed with its record."""

    def _tell(self, content: bytes) -> None:
        deadline = Deadline(self._time_out_s)
        try:
            line = socket.create_connection(self._address, self._time_out_s)
        except OSError as error:
            raise Unsent(why_unreached(error)) from error
        with line:
            try:
                line.sendall(content)
                # Who reads to the end finds it.
                line.shutdown(socket.SHUT_WR)
                _check(_answer(line, deadline))
            except OSError as error:
                raise Transient(why_unreached(error)) from error


def body(record: Record) -> bytes:
    """As the service wants it."""
    mode = logging.getLevelName(record.level).lower()
    name = f"malexbot.{record.who}"
    return orjson.dumps({"name": name, "mode": mode, "text": record.line()})


def _answer(line: socket.socket, deadline: Deadline) -> bytes:
    """As much of it as tells what it means."""
    said = b""
    while len(said) < MOST_READ and not (TAKEN in said or REFUSED in said):
        if not (left_s := deadline.left_s):
            raise TimeoutError
        line.settimeout(left_s)
        if not (more := line.recv(MOST_READ)):
            break
        said += more
    return said


def _check(said: bytes) -> None:
    if REFUSED in said:
        raise Permanent("it refuses a record: 406")
    if TAKEN not in said:
        told = said[:40].decode(errors="replace")
        raise Transient(f"it answers {told!r} instead of 202 or 406")
