"""Fetches the files of kept posts: a slice of time each, where the last one ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from malexbot.errors import Permanent, Transient
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.verdicts import Again, Done, Postponed
from malexbot.ports.files import (
    Download,
    FileArchive,
    FileBroken,
    FileClosed,
    FileGone,
    FileSource,
    FileWanted,
    Part,
)
from malexbot.ports.jobs import Job
from malexbot.runtime.deadline import Deadline

FILE = "file"
# A large file takes several turns: others wait for the worker, and so does a stop.
SLICE_S = 10.0
# Of the time that a handler has: the rest is for the answer's beginning and its end.
SHARE = 0.25
NOT_WANTED = "it is here, or its post is not kept any more"


class _TooLarge(Exception):
    """It has so many bytes; the post told less."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class FileFetches:
    """The handler of "file"; what it has is in the file's part, whatever happens."""

    def __init__(
        self,
        *,
        sources: Mapping[str, FileSource],
        archive: FileArchive,
        largest: Callable[[], int],
        ended: Callable[[], None],
    ) -> None:
        """`ended` is called after each turn: there may be room for another file."""
        self._sources = sources
        self._archive = archive
        self._largest = largest
        self._ended = ended
        self._lock = threading.Lock()
        self._is_halted = False
        self.fetched = 0
        self.bytes = 0
        self.failures = 0

    def halt(self) -> None:
        """Let turns that are under way end at once, with what they have."""
        self._is_halted = True

    def __call__(self, job: Job, hold: Hold) -> Done:
        source = self._sources.get(job.name)
        if source is None:
            raise Permanent(f"no messenger {job.name!r} is configured")
        file = FileWanted(**job.payload)
        try:
            return self._fetch(source, file, job, hold)
        except Transient:
            with self._lock:
                self.failures += 1
            raise
        finally:
            self._ended()

    def _fetch(
        self, source: FileSource, file: FileWanted, job: Job, hold: Hold
    ) -> Done:
        archive, epoch = self._archive, job.epoch
        with archive.part(file) as part:
            if part is None:
                return Done(note=NOT_WANTED)
            try:
                self._fill(part, source, file, hold)
            except FileGone as error:
                archive.give_up(file, "gone", str(error), epoch=epoch)
                return Done(note=f"gone: {error}")
            except FileClosed as error:
                archive.give_up(file, "closed", str(error), epoch=epoch)
                return Done(note=f"closed to us: {error}")
            except FileBroken as error:
                archive.put_off(file, str(error), epoch=epoch)
                return Done(note=f"later: {error}")
            except _TooLarge as error:
                told = f"{error.size:,} bytes are more than archive.largest_file"
                archive.put_off(file, told, epoch=epoch, size=error.size)
                return Done(note=told)
            hold.check()
            is_kept = archive.keep(file, epoch=epoch)
            size = part.size
        if not is_kept:
            return Done(note=NOT_WANTED)
        with self._lock:
            self.fetched += 1
        return Done(note=f"{size:,} bytes")

    def _fill(
        self, part: Part, source: FileSource, file: FileWanted, hold: Hold
    ) -> None:
        """Come back when it is whole."""
        slice_s = min(SLICE_S, hold.time_out_s * SHARE)
        deadline = Deadline(slice_s)
        with source.open(file, at=part.size, read_s=slice_s) as download:
            if download.at != part.size:
                part.restart()
            whole = file.size if download.total is None else download.total
            self._demand_fit(whole, part)
            self._write(part, download, whole, deadline, hold)
        if part.size > whole:
            part.restart()
            raise FileBroken(f"it has more than the {whole:,} bytes that were told")
        if part.size < whole:
            raise Transient(f"only {part.size:,} of {whole:,} bytes came")

    def _write(
        self,
        part: Part,
        download: Download,
        whole: int,
        deadline: Deadline,
        hold: Hold,
    ) -> None:
        for chunk in download.chunks:
            hold.check()
            part.write(chunk)
            with self._lock:
                self.bytes += len(chunk)
            self._demand_fit(part.size, part)
            if part.size < whole and (self._is_halted or deadline.is_over):
                told = f"{part.size:,} of {whole:,} bytes are here"
                raise Postponed(Again(0.0, told, is_failure=False))

    def _demand_fit(self, size: int, part: Part) -> None:
        if size > self._largest():
            part.restart()
            raise _TooLarge(size)
