"""The folder where files are kept: each content once, named by its SHA-256.

A content lies at ab/cdef…, for its owner only; what is here of a file that is still on
its way lies in `partial`, and outlasts a crash. The folder has an id, so that nobody
takes another machine's folder for it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from malexbot.errors import Transient
from malexbot.ports.files import FileWanted, Unwritable

FOLDER = "files"
# PostgreSQL may live on the same disk, and stops when it cannot write: what files
# leave free is enough for it to go on, and for `malexbot doctor` to warn.
RESERVE_BYTES = 512 << 20
_PROBE_BYTES = 1 << 16
_FRESH_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
_PART_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC

_PART_NAME = re.compile(r"([0-9A-Za-z]{1,64})\.([0-9A-Za-z]{1,64})")
_CONTENT_NAME = re.compile(r"[0-9a-f]{62}")

Usage = Callable[[Path], os.statvfs_result]


class Contents:
    """The files of one folder; safe to use from many threads and processes."""

    def __init__(
        self,
        folder: Path,
        *,
        reserve_bytes: int = RESERVE_BYTES,
        usage: Usage = os.statvfs,
    ) -> None:
        self.folder = folder
        self._reserve_bytes = reserve_bytes
        self._usage = usage
        self._partial = folder / "partial"
        self._place_file = folder / "place"
        self._is_in_doubt = False

    @classmethod
    def of(cls, state_dir: Path) -> Contents:
        return cls(state_dir / FOLDER)

    def make(self) -> str:
        """The folder's id; it is made if it is not there. Raises Unwritable."""
        with self.writing():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._partial.mkdir(mode=0o700, exist_ok=True)
            if not self._place_file.exists():
                _write_whole(self._place_file, uuid.uuid4().hex.encode())
        return self.place or ""

    @property
    def place(self) -> str | None:
        """The folder's id; None where there is none, or none for us to see."""
        try:
            return self._place_file.read_text().strip() or None
        except OSError:
            return None

    def path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256[2:]

    def has(self, sha256: str, size: int) -> bool:
        """Raises Unwritable if the disk does not tell."""
        with self.writing(), suppress(FileNotFoundError):
            return self.path(sha256).stat().st_size == size
        return False

    def check(self) -> None:
        """Raises Unwritable while there is no room for files."""
        self.demand_room(0)
        if not self._is_in_doubt:
            return
        with self.writing():
            probe = self._partial / ".probe"
            try:
                _write_whole(probe, bytes(_PROBE_BYTES))
            finally:
                probe.unlink(missing_ok=True)
        self._is_in_doubt = False

    def demand_room(self, size: int) -> None:
        """Raises Unwritable if so much more would leave too little for others."""
        with self.writing():
            found = self._usage(self.folder)
        if found.f_bavail * found.f_frsize < size + self._reserve_bytes:
            raise Unwritable(
                f"the disk of {self.folder} is full: {self._reserve_bytes >> 20} MiB"
                " stay free for the database"
            )

    # What is on its way.

    @contextmanager
    def part(self, file: FileWanted) -> Iterator[PartFile]:
        """Raises Transient while somebody else writes it, and Unwritable."""
        path = self._part_path(file)
        with self.writing():
            number = _locked(path)
        try:
            yield PartFile(number, self)
        finally:
            os.close(number)

    def drop_part(self, file: FileWanted) -> None:
        with self.writing():
            self._part_path(file).unlink(missing_ok=True)

    def parts(self) -> Iterator[FileWanted]:
        """What is on its way, or was when somebody died of it."""
        with suppress(FileNotFoundError):
            for name in os.listdir(self._partial):
                if found := _PART_NAME.fullmatch(name):
                    yield FileWanted(found[1], found[2], 0)

    def digest(self, file: FileWanted) -> tuple[str, int]:
        """The SHA-256 of its part, which is whole now and durable, and its size."""
        with self.writing():
            with open(self._part_path(file), "rb") as part:
                os.fsync(part.fileno())
                told = hashlib.file_digest(part, "sha256").hexdigest()
                return told, os.fstat(part.fileno()).st_size

    # What is kept.

    def take(self, file: FileWanted, sha256: str) -> None:
        """Its part becomes the content; one that is there is the same."""
        path = self.path(sha256)
        with self.writing():
            is_new = not path.parent.exists()
            path.parent.mkdir(mode=0o700, exist_ok=True)
            os.replace(self._part_path(file), path)
            _sync(path.parent)
            if is_new:
                _sync(self.folder)

    def drop(self, sha256: str) -> None:
        """It is not there any more, whether it was or not; raises Unwritable."""
        with self.writing():
            self.path(sha256).unlink(missing_ok=True)

    def __iter__(self) -> Iterator[str]:
        """Of each content that is there its SHA-256."""
        with suppress(FileNotFoundError):
            for folder in os.listdir(self.folder):
                if re.fullmatch("[0-9a-f]{2}", folder):
                    names = os.listdir(self.folder / folder)
                    yield from (folder + n for n in names if _CONTENT_NAME.fullmatch(n))

    def _part_path(self, file: FileWanted) -> Path:
        return self._partial / f"{file.post_id}.{file.id}"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """What the disk says is ours to tell; what was in doubt is tried later."""
        try:
            yield
        except OSError as error:
            self._is_in_doubt = True
            told = f"{error.filename or self.folder}: {error.strerror}"
            raise Unwritable(told) from error


class PartFile:
    """Implements ports.files.Part."""

    def __init__(self, number: int, contents: Contents) -> None:
        self._number = number
        self._contents = contents

    @property
    def size(self) -> int:
        return os.fstat(self._number).st_size

    def write(self, chunk: bytes) -> None:
        self._contents.demand_room(len(chunk))
        left = memoryview(chunk)
        with self._contents.writing():
            while left:
                left = left[os.write(self._number, left) :]

    def restart(self) -> None:
        os.ftruncate(self._number, 0)


def _locked(path: Path) -> int:
    """Of a file that is whole somebody takes the name away: then it begins anew."""
    while True:
        number = os.open(path, _PART_FLAGS, 0o600)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.stat(path), os.fstat(number)):
                return number
        except BlockingIOError:
            os.close(number)
            raise Transient(f"somebody else is writing {path.name}") from None
        except FileNotFoundError:
            pass
        os.close(number)


def _write_whole(path: Path, content: bytes) -> None:
    """It is there with all its bytes, or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    with open(os.open(fresh, _FRESH_FLAGS, 0o600), "wb") as sink:
        sink.write(content)
        sink.flush()
        os.fsync(sink.fileno())
    os.replace(fresh, path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
