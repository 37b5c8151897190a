"""A content goes with the last file that has it, and not before."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from malexbot.errors import Transient
from malexbot.ports.files import FileWanted
from malexbot.storage.clearing import (
    clear,
    clear_parts,
    clear_strangers,
    release_strays,
)
from malexbot.storage.contents import Contents
from malexbot.storage.database import Database
from malexbot.storage.files import DatabaseFiles
from tests.storage.conftest import Look
from tests.storage.filed import (
    AT,
    ONE,
    TWO,
    begin,
    contents,
    epoch,
    fetch,
    files,
    full,
    index,
    on_disk,
)

__all__ = ["contents", "epoch", "files", "full", "index"]


@pytest.mark.usefixtures("full")
def test_a_content_goes_with_the_last_file_that_has_it(
    files: DatabaseFiles, epoch: int, look: Look, contents: Contents, database: Database
) -> None:
    fetch(files, epoch, ONE)
    fetch(files, epoch, TWO)
    look("DELETE FROM posts WHERE id = 'p1'")
    assert clear(database, contents) == 0
    assert on_disk(contents) == {AT: b"hello"}
    look("DELETE FROM posts WHERE id = 'p2'")
    assert clear(database, contents) == 1
    assert on_disk(contents) == {}
    assert look("SELECT FROM contents") == look("SELECT FROM files") == []


@pytest.mark.usefixtures("full")
def test_another_machine_clears_nothing_away_that_it_does_not_see(
    files: DatabaseFiles,
    epoch: int,
    look: Look,
    contents: Contents,
    database: Database,
    tmp_path: Path,
) -> None:
    fetch(files, epoch, ONE)
    look("DELETE FROM posts")
    elsewhere = Contents(tmp_path / "elsewhere")
    assert clear(database, elsewhere) == clear_strangers(database, elsewhere) == 0
    elsewhere.make()
    assert clear(database, elsewhere) == 0
    assert clear(database, contents) == 1


@pytest.mark.usefixtures("full")
def test_what_is_kept_anew_is_not_cleared_away(
    files: DatabaseFiles, epoch: int, look: Look, contents: Contents, database: Database
) -> None:
    fetch(files, epoch, ONE)
    look("DELETE FROM posts WHERE id = 'p1'")
    fetch(files, epoch, TWO)
    assert clear(database, contents) == 0
    assert on_disk(contents) == {AT: b"hello"}


@pytest.mark.usefixtures("full")
def test_keeping_and_clearing_at_once_lose_nothing(
    files: DatabaseFiles, epoch: int, look: Look, contents: Contents, database: Database
) -> None:
    """Whoever comes second sees what the first one did."""
    ended = threading.Event()

    def clear_on() -> None:
        while not ended.is_set():
            clear(database, contents)

    thread = threading.Thread(target=clear_on, name="clears")
    thread.start()
    try:
        for _ in range(30):
            begin(look, "f1", "f2")
            look("UPDATE files SET sha256 = NULL")
            look("UPDATE contents SET released_at = now()")
            assert fetch(files, epoch, ONE) and fetch(files, epoch, TWO)
            assert on_disk(contents) == {AT: b"hello"}
    finally:
        ended.set()
        thread.join()
    assert look("SELECT released_at FROM contents") == [(None,)]


@pytest.mark.usefixtures("full")
def test_who_died_while_keeping_leaves_a_note_of_what_he_left(
    files: DatabaseFiles,
    epoch: int,
    contents: Contents,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Killed(BaseException):
        pass

    take = contents.take

    def die(file: FileWanted, sha256: str) -> None:
        take(file, sha256)
        raise Killed

    monkeypatch.setattr(contents, "take", die)
    with pytest.raises(Killed):
        fetch(files, epoch, ONE)
    assert on_disk(contents) == {AT: b"hello"}
    assert clear(database, contents) == 1
    assert on_disk(contents) == {}
    monkeypatch.undo()
    assert fetch(files, epoch, ONE)


@pytest.mark.usefixtures("full")
def test_beginnings_that_nobody_waits_for_are_cleared_away(
    files: DatabaseFiles, look: Look, contents: Contents, database: Database
) -> None:
    for file in (ONE, TWO):
        with files.part(file) as part:
            assert part is not None
            part.write(b"hel")
    look("DELETE FROM posts WHERE id = 'p1'")
    assert clear_parts(database, contents) == 1
    assert on_disk(contents) == {"partial/p2.f2": b"hel"}


@pytest.mark.usefixtures("full")
def test_a_part_that_is_begun_after_its_post_was_deleted_stays_empty(
    files: DatabaseFiles, look: Look, contents: Contents
) -> None:
    look("DELETE FROM posts WHERE id = 'p1'")
    with files.part(ONE) as part:
        assert part is None
    assert on_disk(contents) == {}


@pytest.mark.usefixtures("full")
def test_contents_that_the_database_does_not_know_are_found(
    files: DatabaseFiles, epoch: int, look: Look, contents: Contents, database: Database
) -> None:
    fetch(files, epoch, ONE)
    stranger = contents.path("ab" * 32)
    stranger.parent.mkdir()
    stranger.write_bytes(b"from before")
    assert clear_strangers(database, contents) == 1
    assert on_disk(contents) == {AT: b"hello"}


@pytest.mark.usefixtures("full")
def test_a_content_that_no_file_has_is_found(
    files: DatabaseFiles, epoch: int, look: Look, contents: Contents, database: Database
) -> None:
    fetch(files, epoch, ONE)
    look("ALTER TABLE files DISABLE TRIGGER files_gone; DELETE FROM files")
    assert clear(database, contents) == 0
    release_strays(database)
    assert clear(database, contents) == 1


@pytest.mark.usefixtures("full")
def test_a_file_that_somebody_else_is_writing_is_left_to_him(
    files: DatabaseFiles, contents: Contents
) -> None:
    with files.part(ONE), pytest.raises(Transient, match="somebody else"):
        with files.part(ONE):
            pass
