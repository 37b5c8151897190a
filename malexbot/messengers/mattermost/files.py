"""Mattermost as the place where files are: read from any byte on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from malexbot.messengers.line import cause
from malexbot.messengers.mattermost.failures import (
    Busy,
    Forbidden,
    Missing,
    Rejected,
    Unreachable,
)
from malexbot.messengers.mattermost.link import Link
from malexbot.ports.files import (
    Download,
    FileBroken,
    FileClosed,
    FileGone,
    FileWanted,
)
from malexbot.runtime.heart import outside
from malexbot.runtime.stop import Stop

# Nobody waits longer for room in the server's rate limit; the job comes again.
SEAT_S = 5.0
CHUNK = 1 << 18
PARTIAL, OUT_OF_RANGE = 206, 416

_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


class MattermostFiles:
    """Implements ports.files.FileSource; keeps to the server's rate limit."""

    def __init__(self, link: Link) -> None:
        self._link = link

    @contextmanager
    def open(self, file: FileWanted, *, at: int, read_s: float) -> Iterator[Download]:
        call = f"get /files/{file.id}"
        # As it is: packed for the way, nobody could say which byte is which.
        headers = {"Accept-Encoding": "identity"}
        if at:
            headers["Range"] = f"bytes={at}-"
        self._take_seat(call)
        try:
            with self._link.stream(
                f"/files/{file.id}", headers=headers, read_s=read_s
            ) as answer:
                _demand_a_file(call, answer, file)
                yield _download(call, answer, at)
        except Missing as error:
            raise FileGone(str(error)) from error
        except Forbidden as error:
            raise FileClosed(str(error)) from error
        except Rejected as error:
            raise FileBroken(str(error)) from error
        except Busy as error:
            if error.status == 429:
                self._link.pace.hold(error.retry_after_s or 0.0)
            if error.status != 500:
                raise
            raise FileBroken(str(error)) from error

    def _take_seat(self, call: str) -> None:
        wait_s = self._link.pace.seat_s(SEAT_S)
        if wait_s is None:
            raise Busy(call, "the rate limit leaves no room for it now")
        if wait_s > 0:
            Stop().wait(wait_s)


def _demand_a_file(call: str, answer: requests.Response, file: FileWanted) -> None:
    """A proxy calls pages of its own 200; but the server signs what it answers."""
    is_signed = "X-Request-Id" in answer.headers
    told = answer.headers.get("Content-Length", "")
    if answer.status_code == 200 and not is_signed and told != str(file.size):
        raise Busy(call, "not what Mattermost answers")


def _download(call: str, answer: requests.Response, asked: int) -> Download:
    told = _RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
    if answer.status_code == OUT_OF_RANGE:
        total = _number(told and told[2])
        # All of it is here already; or what is here is of something else.
        return Download(asked if total == asked else 0, total, iter(()))
    chunks = _chunks(call, answer)
    if answer.status_code == PARTIAL:
        if told is None or _number(told[1]) != asked:
            raise Busy(call, "another part than what was asked for")
        return Download(asked, _number(told[2]), chunks)
    is_plain = answer.headers.get("Content-Encoding", "identity") == "identity"
    size = answer.headers.get("Content-Length", "") if is_plain else ""
    return Download(0, _number(size), chunks)


def _number(digits: str | None) -> int | None:
    return int(digits) if digits and digits.isdecimal() else None


def _chunks(call: str, answer: requests.Response) -> Iterator[bytes]:
    pieces = answer.iter_content(CHUNK)
    while True:
        try:
            with outside("Mattermost"):
                piece = next(pieces, None)
        except requests.RequestException as error:
            raise Unreachable(call, cause(error)) from error
        if piece is None:
            return
        yield piece
