"""A file in the making, which who was cut off goes on with.

It stands as FILE.part beside where it will be, and FILE.part.json tells how far it
is. Whatever was written after the last note is cut off and written again, so the end
is the same as that of a run which nobody cut.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import orjson

from malexbot.errors import Permanent
from malexbot.storage.export import Place, Share

# Another layout of the note, or other pages: what was begun then is begun anew.
VERSION = 1
# So much is lost at most, and written again.
NOTED_EVERY_S = 2.0
BUFFER = 1 << 18


@dataclass(frozen=True, slots=True)
class Plan:
    """What is written, decided once at the beginning."""

    words: Mapping[str, Any]
    """What the command was asked for, as it was written."""
    began_ms: int
    since: int
    until: int
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Far:
    """How far it is: replaced as a whole, so that no Ctrl-C comes in between."""

    size: int = 0
    posts: int = 0
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """What an earlier run has left."""

    plan: Plan
    far: Far = field(default_factory=Far)


class Part:
    """The file, from its first byte to its name; for one process at a time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._part = file.with_name(f"{file.name}.part")
        self._note = file.with_name(f"{file.name}.part.json")
        self._plan: Plan | None = None
        self._noted_at = 0.0
        self.far = Far()
        if file.exists() and not file.is_file():
            raise Permanent(f"{file} is no file; without --out it is standard output")
        try:
            self._sink = _opened(self._part)
        except OSError as error:
            raise Permanent(f"cannot write {self._part}: {error.strerror}") from error

    def __enter__(self) -> Part:
        return self

    def __exit__(self, *_: object) -> None:
        """What is not finished stays, for the next run."""
        if self._plan is None:
            self._part.unlink(missing_ok=True)
        try:
            self._sink.close()
        except OSError:
            # The disk is full. The note tells what is there.
            self._sink.raw.close()  # type: ignore[attr-defined]

    def begun(self, words: Mapping[str, Any]) -> Begun | None:
        """What is there already of the same export; None when there is nothing."""
        try:
            told = orjson.loads(self._note.read_bytes())
            if told["version"] != VERSION or told["plan"]["words"] != words:
                return None
            begun = _read(told)
        except (OSError, ValueError, TypeError, KeyError):
            return None
        is_there = os.fstat(self._sink.fileno()).st_size >= begun.far.size
        return begun if is_there else None

    def start(self, begun: Begun) -> None:
        """Write on from there; whatever stands after it is cut off."""
        self._plan, self.far = begun.plan, begun.far
        self._sink.truncate(begun.far.size)
        self._sink.seek(begun.far.size)
        self.note()

    def write(self, text: str, place: Place | None = None) -> None:
        told = text.encode()
        self._sink.write(told)
        far, size = self.far, self.far.size + len(told)
        if place is None:
            self.far = replace(far, size=size)
            return
        self.far = Far(size, far.posts + 1, place)
        if time.monotonic() - self._noted_at > NOTED_EVERY_S:
            self.note()

    def note(self) -> None:
        """Make sure of what is written, then tell so."""
        self._sink.flush()
        os.fsync(self._sink.fileno())
        told = {"version": VERSION, "plan": asdict(_known(self._plan))}
        text = orjson.dumps(told | {"far": asdict(self.far)}, default=list)
        fresh = self._note.with_name(f"{self._note.name}.new")
        with open(fresh, "wb") as sink:
            sink.write(text)
            sink.flush()
            os.fsync(sink.fileno())
        os.replace(fresh, self._note)
        self._noted_at = time.monotonic()

    def finish(self) -> None:
        """Give it its name: it is whole."""
        self._sink.flush()
        os.fsync(self._sink.fileno())
        os.replace(self._part, self._file)
        self._note.unlink(missing_ok=True)
        folder = os.open(self._file.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _known(plan: Plan | None) -> Plan:
    assert plan is not None, "start() comes first"
    return plan


def _opened(path: Path) -> IO[bytes]:
    """For its owner only; a second export of the same file is refused."""
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        raise Permanent(f"another export is writing {path}") from None
    return open(number, "r+b", buffering=BUFFER)


def _read(told: Mapping[str, Any]) -> Begun:
    plan, far = dict(told["plan"]), dict(told["far"])
    plan["shares"] = tuple(Share(**share) for share in plan["shares"])
    if not far["place"]:
        return Begun(Plan(**plan))
    far["place"] = Place(*far["place"])
    return Begun(Plan(**plan), Far(**far))
