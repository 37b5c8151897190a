"""A file is fetched slice by slice, and whatever breaks goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from malexbot.errors import Permanent, Transient
from malexbot.pipeline import files as module
from malexbot.pipeline.files import NOT_WANTED, FileFetches
from malexbot.pipeline.hold import Hold, Revoked
from malexbot.pipeline.verdicts import Postponed
from malexbot.ports import Job
from malexbot.ports.files import (
    Download,
    FileBroken,
    FileClosed,
    FileGone,
    FileWanted,
    Unwritable,
)

CONTENT = b"0123456789"


class MemoryPart:
    """ports.files.Part."""

    def __init__(self) -> None:
        self.content = b""
        self.is_full = False

    @property
    def size(self) -> int:
        return len(self.content)

    def write(self, chunk: bytes) -> None:
        if self.is_full:
            raise Unwritable("the disk is full")
        self.content += chunk

    def restart(self) -> None:
        self.content = b""


class MemoryArchive:
    """ports.files.FileArchive, with one file."""

    def __init__(self) -> None:
        self.one = MemoryPart()
        self.is_wanted = True
        self.kept: list[bytes] = []
        self.told: list[tuple[Any, ...]] = []

    @contextmanager
    def part(self, file: FileWanted) -> Iterator[MemoryPart | None]:
        yield self.one if self.is_wanted else None

    def keep(self, file: FileWanted, *, epoch: int) -> bool:
        self.kept.append(self.one.content)
        return self.is_wanted

    def give_up(self, file: FileWanted, state: str, reason: str, *, epoch: int) -> None:
        self.told.append((state, reason, epoch))

    def put_off(
        self, file: FileWanted, reason: str, *, epoch: int, size: int | None = None
    ) -> None:
        self.told.append(("later", reason, size))


class Server:
    """ports.files.FileSource: a byte at a time, and it breaks as it is told to."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.total: int | None = len(content)
        self.asked: list[int] = []
        self.has_parts = True
        self.error: Exception | None = None
        self.at_byte: Callable[[int], object] = lambda at: None

    @contextmanager
    def open(self, file: FileWanted, *, at: int, read_s: float) -> Iterator[Download]:
        self.asked.append(at)
        if self.error:
            raise self.error
        yield Download(
            at if self.has_parts else 0,
            self.total,
            self._bytes(at if self.has_parts else 0),
        )

    def _bytes(self, at: int) -> Iterator[bytes]:
        for place in range(at, len(self.content)):
            self.at_byte(place)
            yield self.content[place : place + 1]


class World:
    def __init__(self) -> None:
        self.server, self.archive = Server(), MemoryArchive()
        self.largest, self.ended = 100, 0
        self.fetches = FileFetches(
            sources={"mattermost": self.server},
            archive=self.archive,
            largest=lambda: self.largest,
            ended=self._end,
        )
        self.hold = Hold(lease_s=90, time_out_s=60)

    def _end(self) -> None:
        self.ended += 1

    def fetch(self, size: int = 10, name: str = "mattermost") -> str:
        payload = {"post_id": "p1", "id": "f1", "size": size}
        return self.fetches(job(name, payload), self.hold).note

    def break_at(self, place: int, error: Exception) -> None:
        def at_byte(at: int) -> None:
            if at == place:
                self.server.at_byte = lambda at: None
                raise error

        self.server.at_byte = at_byte


def job(name: str, payload: dict[str, Any]) -> Job:
    return Job(
        id=1,
        key="k",
        kind="file",
        name=name,
        lane="file:p1:f1",
        event=None,
        payload=payload,
        attempts=1,
        failures=0,
        left_s=None,
        sent_ago_s=None,
        epoch=7,
    )


@pytest.fixture
def world() -> World:
    return World()


def test_a_file_that_comes_whole_is_kept(world: World) -> None:
    assert world.fetch() == "10 bytes"
    assert world.archive.kept == [CONTENT]
    assert (world.fetches.fetched, world.fetches.bytes, world.ended) == (1, 10, 1)


def test_what_was_cut_off_goes_on_where_it_was(world: World) -> None:
    world.break_at(4, Transient("the line broke"))
    with pytest.raises(Transient, match="the line broke"):
        world.fetch()
    assert world.archive.one.content == b"0123" and world.archive.kept == []
    assert (world.fetches.failures, world.ended) == (1, 1)
    assert world.fetch() == "10 bytes"
    assert world.archive.kept == [CONTENT]
    assert world.server.asked == [0, 4]


def test_what_is_here_already_is_only_kept(world: World) -> None:
    world.archive.one.content = CONTENT
    assert world.fetch() == "10 bytes"
    assert (world.server.asked, world.fetches.bytes) == ([10], 0)


def test_a_server_without_parts_begins_anew(world: World) -> None:
    world.archive.one.content = b"0123"
    world.server.has_parts = False
    world.fetch()
    assert world.archive.kept == [CONTENT]


def test_a_slice_ends_and_another_one_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLICE_S", 0.0)
    for so_far in range(1, 10):
        with pytest.raises(Postponed) as raised:
            world.fetch()
        again = raised.value.again
        assert (again.wait_s, again.is_failure) == (0.0, False)
        assert again.reason == f"{so_far} of 10 bytes are here"
    assert world.fetch() == "10 bytes"
    assert world.archive.kept == [CONTENT] and world.fetches.failures == 0


def test_a_slice_is_a_part_of_the_time_that_a_handler_has(world: World) -> None:
    world.hold = Hold(lease_s=90, time_out_s=0.0)
    with pytest.raises(Postponed):
        world.fetch()


def test_a_stop_ends_the_slice(world: World) -> None:
    world.fetches.halt()
    with pytest.raises(Postponed):
        world.fetch()
    assert world.archive.one.content == b"0"


def test_who_was_given_up_writes_nothing_more(world: World) -> None:
    world.server.at_byte = lambda at: world.hold.revoke() if at == 3 else None
    with pytest.raises(Revoked):
        world.fetch()
    assert world.archive.one.content == b"012" and world.archive.kept == []


def test_a_short_file_is_not_taken_for_the_whole(world: World) -> None:
    world.server.total = 12
    with pytest.raises(Transient, match="only 10 of 12 bytes came"):
        world.fetch()
    assert world.archive.kept == [] and world.archive.one.content == CONTENT


def test_a_file_with_more_than_told_begins_anew_later(world: World) -> None:
    world.server.total = 8
    assert world.fetch().startswith("later: it has more than the 8 bytes")
    assert world.archive.one.content == b""
    assert world.archive.told == [
        ("later", "it has more than the 8 bytes that were told", None)
    ]


def test_where_the_server_does_not_tell_the_size_the_post_does(world: World) -> None:
    world.server.total = None
    assert world.fetch() == "10 bytes"
    world = World()
    world.server.total = None
    with pytest.raises(Transient, match="only 10 of 11"):
        world.fetch(size=11)


@pytest.mark.parametrize("is_told", [True, False])
def test_what_is_too_large_is_left(world: World, is_told: bool) -> None:
    world.largest = 5
    world.server.total = 10 if is_told else None
    world.fetch(size=3)
    size = 10 if is_told else 6
    told = f"{size} bytes are more than archive.largest_file"
    assert world.archive.told == [("later", told, size)]
    assert world.archive.one.content == b"" and world.archive.kept == []


def test_what_is_gone_or_closed_is_noted_as_such(world: World) -> None:
    world.server.error = FileGone("404 it is not there")
    assert world.fetch() == "gone: 404 it is not there"
    world.server.error = FileClosed("403 not for you")
    assert world.fetch() == "closed to us: 403 not for you"
    world.server.error = FileBroken("500 oh")
    assert world.fetch() == "later: 500 oh"
    assert world.archive.told == [
        ("gone", "404 it is not there", 7),
        ("closed", "403 not for you", 7),
        ("later", "500 oh", None),
    ]


def test_what_nobody_wants_any_more_is_not_asked_for(world: World) -> None:
    world.archive.is_wanted = False
    assert world.fetch() == NOT_WANTED
    assert world.server.asked == [] and world.fetches.fetched == 0


def test_what_nobody_wants_in_the_end_is_not_counted(world: World) -> None:
    def forget(at: int) -> None:
        world.archive.is_wanted = False

    world.server.at_byte = forget
    assert world.fetch() == NOT_WANTED
    assert world.fetches.fetched == 0


def test_a_full_disk_is_tried_again_with_what_is_there(world: World) -> None:
    world.break_at(4, Unwritable("the disk is full"))
    with pytest.raises(Unwritable):
        world.fetch()
    assert world.fetch() == "10 bytes"
    assert world.server.asked == [0, 4]


def test_a_messenger_that_is_not_configured_has_no_files(world: World) -> None:
    with pytest.raises(Permanent, match="no messenger 'vk'"):
        world.fetch(name="vk")
