"""The files that hang on posts: where they come from, and where they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Literal, NamedTuple, Protocol

from malexbot.errors import Permanent, Transient


class FileGone(Permanent):
    """The server has it no more."""


class FileClosed(Permanent):
    """The server has it, and not for us."""


class FileBroken(Transient):
    """The server fails at this very file; of others that says nothing."""


class Unwritable(Transient):
    """Nothing can be written where files are kept: the disk is full, say."""


class FileWanted(NamedTuple):
    """A file of a kept post."""

    post_id: str
    id: str
    size: int
    """As the post tells; what comes may differ."""


class Download(NamedTuple):
    """The bytes of a file, from a place on."""

    at: int
    """Where they begin: a server may give all of it only."""
    total: int | None
    """How many the whole file has; None when the server does not tell."""
    chunks: Iterator[bytes]
    """Raises Transient when the line breaks."""


class FileSource(Protocol):
    """A messenger, as the place where files are; safe to use from many threads."""

    def open(
        self, file: FileWanted, *, at: int, read_s: float
    ) -> AbstractContextManager[Download]:
        """From this byte on, if it can; no silence lasts longer than `read_s`.

        Raises FileGone, FileClosed, FileBroken, or Transient.
        """
        ...


class Part(Protocol):
    """What is here of a file, for one writer at a time."""

    @property
    def size(self) -> int: ...

    def write(self, chunk: bytes) -> None:
        """After what is there; raises Unwritable."""
        ...

    def restart(self) -> None:
        """Forget what is there."""
        ...


FileState = Literal["gone", "closed"]


class FileArchive(Protocol):
    """Where files are kept, and what is known of them; safe to use from many threads.

    What changes it is refused (Transient) when the epoch is not the active daemon's.
    """

    def part(self, file: FileWanted) -> AbstractContextManager[Part | None]:
        """What is here of it, which outlasts a crash. None: nobody wants it (more)."""
        ...

    def keep(self, file: FileWanted, *, epoch: int) -> bool:
        """Its part is the whole file; no: nobody wants it any more."""
        ...

    def give_up(
        self, file: FileWanted, state: FileState, reason: str, *, epoch: int
    ) -> None:
        """It is not to be had; what is closed is tried again after a day."""
        ...

    def put_off(
        self, file: FileWanted, reason: str, *, epoch: int, size: int | None = None
    ) -> None:
        """Try again later, and ever later. With a size: it has another one."""
        ...
