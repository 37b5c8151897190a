"""The folder of files: durable, private, and never so full that others stop."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from malexbot.errors import Transient
from malexbot.ports.files import FileWanted, Unwritable
from malexbot.storage import contents as module
from malexbot.storage.contents import Contents

FILE = FileWanted("p1", "f1", 5)
HELLO = hashlib.sha256(b"hello").hexdigest()
Usage = namedtuple("Usage", "f_bavail f_frsize")


@pytest.fixture
def contents(tmp_path: Path) -> Contents:
    made = Contents(tmp_path / "state" / "files", reserve_bytes=0)
    made.make()
    return made


def put(contents: Contents, file: FileWanted = FILE, content: bytes = b"hello") -> str:
    with contents.part(file) as part:
        part.write(content)
    sha256, _ = contents.digest(file)
    contents.take(file, sha256)
    return sha256


def test_a_content_lies_where_its_digest_says(contents: Contents) -> None:
    assert put(contents) == HELLO
    path = contents.folder / HELLO[:2] / HELLO[2:]
    assert contents.path(HELLO) == path and path.read_bytes() == b"hello"
    assert contents.has(HELLO, 5) and not contents.has(HELLO, 6)
    assert list(contents) == [HELLO] and list(contents.parts()) == []


def test_the_same_content_is_there_once(contents: Contents) -> None:
    put(contents)
    put(contents, FileWanted("p2", "f2", 5))
    assert list(contents) == [HELLO]


def test_what_is_dropped_is_gone_however_often(contents: Contents) -> None:
    put(contents)
    contents.drop(HELLO)
    contents.drop(HELLO)
    assert list(contents) == [] and not contents.has(HELLO, 5)


def test_all_of_it_is_for_its_owner_only(contents: Contents) -> None:
    put(contents)
    with contents.part(FILE) as part:
        part.write(b"x")
    for path in [contents.folder, *contents.folder.rglob("*")]:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_what_is_on_its_way_outlasts_who_wrote_it(contents: Contents) -> None:
    with contents.part(FILE) as part:
        part.write(b"hel")
    again = Contents(contents.folder, reserve_bytes=0)
    assert list(again.parts()) == [FileWanted("p1", "f1", 0)]
    with again.part(FILE) as part:
        assert part.size == 3
        part.write(b"lo")
    assert again.digest(FILE) == (HELLO, 5)


def test_what_is_begun_anew_forgets_what_was_there(contents: Contents) -> None:
    with contents.part(FILE) as part:
        part.write(b"wrong")
        part.restart()
        part.write(b"hello")
        assert part.size == 5
    assert contents.digest(FILE) == (HELLO, 5)


def test_a_part_has_one_writer(contents: Contents) -> None:
    with contents.part(FILE):
        with pytest.raises(Transient, match="somebody else is writing"):
            with contents.part(FILE):
                pass
        with contents.part(FileWanted("p1", "f2", 5)):
            pass
    with contents.part(FILE):
        pass


def test_a_part_whose_name_was_taken_away_is_another_one(contents: Contents) -> None:
    with contents.part(FILE) as part:
        part.write(b"hello")
        contents.take(FILE, contents.digest(FILE)[0])
        with contents.part(FILE) as fresh:
            assert fresh.size == 0
            fresh.write(b"x")
        assert contents.path(HELLO).read_bytes() == b"hello"


def test_strange_files_in_the_folder_are_none_of_ours(contents: Contents) -> None:
    (contents.folder / "partial" / "notes.txt.bak.1").write_text("x")
    (contents.folder / "lost+found").mkdir()
    (contents.folder / "ab").mkdir()
    (contents.folder / "ab" / "notes").write_text("x")
    assert list(contents.parts()) == list(contents) == []


def test_a_folder_is_known_by_its_id(contents: Contents, tmp_path: Path) -> None:
    assert contents.make() == contents.place == Contents(contents.folder).place
    other = Contents(tmp_path / "other")
    assert other.place is None
    assert list(other) == list(other.parts()) == []
    assert other.make() != contents.place


# When there is no room.


def test_some_room_is_left_for_the_database(contents: Contents) -> None:
    free = [10_000_000]
    short: Any = Contents(
        contents.folder,
        reserve_bytes=9_000_000,
        usage=lambda folder: Usage(free[0] // 4096, 4096),  # type: ignore[arg-type]
    )
    short.check()
    with short.part(FILE) as part:
        part.write(b"x" * 900_000)
        with pytest.raises(Unwritable, match=r"is full: 8 MiB stay free"):
            part.write(b"x" * 1_100_000)
        assert part.size == 900_000
        free[0] = 20_000_000
        part.write(b"x" * 1_100_000)
        assert part.size == 2_000_000


def full(*_: Any) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_disk_that_is_full_is_tried_until_it_takes_something(
    contents: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contents.part(FILE) as part:
        part.write(b"hel")
        with monkeypatch.context() as patched:
            patched.setattr(module.os, "write", full)
            with pytest.raises(Unwritable, match="No space left on device"):
                part.write(b"lo")
        assert part.size == 3
    with monkeypatch.context() as patched:
        # A quota is no matter of free blocks: it shows only when something is written.
        patched.setattr(module.os, "fsync", full)
        with pytest.raises(Unwritable):
            contents.check()
    contents.check()
    with contents.part(FILE) as part:
        part.write(b"lo")
    assert contents.digest(FILE) == (HELLO, 5)
    assert sorted(os.listdir(contents.folder / "partial")) == ["p1.f1"]


def test_a_folder_that_cannot_be_made_tells_why(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(Unwritable, match="Not a directory"):
        Contents(tmp_path / "state" / "files").make()


def test_a_disk_that_does_not_tell_has_lost_nothing(
    contents: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(contents)

    def ill(*_: Any, **__: Any) -> Any:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "stat", ill)
    with pytest.raises(Unwritable, match="Input/output error"):
        contents.has(HELLO, 5)
