"""What becomes of the files of kept posts, until nobody keeps them any more."""

from __future__ import annotations

from typing import Any

import pytest

from malexbot.storage.clearing import (
    clear,
)
from malexbot.storage.contents import Contents
from malexbot.storage.database import Database, Fenced
from malexbot.storage.files import DatabaseFiles, FileCounts, count_files
from malexbot.storage.indexing import Indexing
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from tests.storage.conftest import Look
from tests.storage.filed import (
    AT,
    HELLO,
    LARGEST,
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
    states,
    with_files,
)
from tests.storage.happenings import edited, kept, passing, post, posted

__all__ = ["contents", "epoch", "files", "full", "index"]

# Which post has which file.


def test_the_files_of_a_kept_post_are_noted_behind_the_stream(
    journal: DatabaseJournal, index: Any, look: Look
) -> None:
    told = with_files("p1", "f1", "f2", size=7, create_at=5000)
    journal.write([kept(posted(told), posted(post("p2")))])
    assert states(look) == {}
    index()
    rows = look("SELECT post_id, id, size, state FROM files ORDER BY id")
    assert rows == [("p1", "f1", 7, "waiting"), ("p1", "f2", 7, "waiting")]
    assert look.one("SELECT extract(epoch FROM max(due_at))::int FROM files") == 5


def test_who_waits_for_files_is_told_of_them(
    journal: DatabaseJournal, database: Database, leadership: Leadership
) -> None:
    told: list[str] = []
    index = Indexing(
        database,
        epoch=lambda: leadership.epoch,
        written=lambda: 0,
        on_files=lambda: told.append("files"),
    )
    journal.write([kept(posted(post("p1")))])
    index.catch_up()
    assert told == []
    journal.write([kept(posted(with_files("p2", "f1")))])
    index.catch_up()
    assert told == ["files"]


def test_a_file_that_an_edit_brings_is_noted_and_one_that_it_takes_stays(
    journal: DatabaseJournal, index: Any, look: Look
) -> None:
    journal.write([kept(posted(with_files("p1", "f1")))])
    index()
    journal.write([passing(edited(with_files("p1", "f2", edit_at=2000)))])
    index()
    assert states(look) == {"f1": "waiting", "f2": "waiting"}


@pytest.mark.parametrize(
    "odd",
    [
        *('"f1"', "{}", "[]", "[5]", '[{"id": 5}]', '[{"id": ""}]', "null"),
        *(
            '[{"id": "../../etc/passwd"}]',
            '[{"id": "a.b"}]',
            '[{"id": "%s"}]' % ("x" * 65),
        ),
    ],
)
def test_files_that_are_told_oddly_are_none(
    journal: DatabaseJournal, index: Any, look: Look, odd: str
) -> None:
    told = post("p1")._replace(raw=f'{{"metadata": {{"files":{odd}}}}}')
    journal.write([kept(posted(told))])
    index()
    assert states(look) == {}
    assert look("SELECT post_id FROM post_words") == [("p1",)]


@pytest.mark.parametrize("size", [-1, 2**63, "5", None, 1.5, True])
def test_a_size_that_is_none_is_not_known(
    journal: DatabaseJournal, index: Any, look: Look, size: Any
) -> None:
    journal.write([kept(posted(with_files("p1", "f1", size=size)))])
    index()
    assert look.one("SELECT size FROM files") == 0


def test_a_post_of_the_end_of_time_has_files_too(
    journal: DatabaseJournal, index: Any, look: Look
) -> None:
    journal.write([kept(posted(with_files("p1", "f1", create_at=2**62)))])
    index()
    assert look.one("SELECT due_at <= clock_timestamp() FROM files") is True


# Kept, and given up.


@pytest.mark.usefixtures("full")
def test_a_file_that_is_whole_is_kept(
    files: DatabaseFiles, epoch: int, look: Look, contents: Contents
) -> None:
    assert fetch(files, epoch, ONE)
    row = look("SELECT state, sha256, size FROM files WHERE id = 'f1'")
    assert row == [("kept", HELLO, 5)]
    assert on_disk(contents) == {AT: b"hello"}


@pytest.mark.usefixtures("full")
def test_the_same_content_twice_lies_there_once(
    files: DatabaseFiles, epoch: int, contents: Contents, database: Database
) -> None:
    assert fetch(files, epoch, ONE) and fetch(files, epoch, TWO)
    assert on_disk(contents) == {AT: b"hello"}
    counts = count_files(database, largest=LARGEST)
    assert counts == FileCounts({"kept": 2}, 5, True)


@pytest.mark.usefixtures("full")
def test_what_is_here_is_not_fetched_again(files: DatabaseFiles, epoch: int) -> None:
    fetch(files, epoch, ONE)
    assert not fetch(files, epoch, ONE)


@pytest.mark.usefixtures("full")
def test_what_comes_for_a_post_that_was_deleted_meanwhile_is_not_kept(
    files: DatabaseFiles, epoch: int, look: Look, contents: Contents, database: Database
) -> None:
    with files.part(ONE) as part:
        assert part is not None
        part.write(b"hello")
        look("DELETE FROM posts WHERE id = 'p1'")
        assert not files.keep(ONE, epoch=epoch)
    assert not fetch(files, epoch, ONE)
    clear(database, contents)
    assert on_disk(contents) == {} and look("SELECT FROM contents") == []


@pytest.mark.usefixtures("full")
def test_who_is_not_the_active_daemon_keeps_nothing(
    files: DatabaseFiles, epoch: int, look: Look, contents: Contents
) -> None:
    with pytest.raises(Fenced):
        fetch(files, epoch - 1, ONE)
    with pytest.raises(Fenced):
        files.give_up(ONE, "gone", "404", epoch=epoch - 1)
    assert states(look)["f1"] == "fetching"
    assert on_disk(contents) == {"partial/p1.f1": b"hello"}


@pytest.mark.usefixtures("full")
def test_what_is_not_to_be_had_says_why(
    files: DatabaseFiles, epoch: int, look: Look, contents: Contents
) -> None:
    with files.part(ONE) as part:
        assert part is not None
        part.write(b"hel")
    files.give_up(ONE, "gone", "404 \0 it is not there" + "x" * 900, epoch=epoch)
    files.give_up(TWO, "closed", "403", epoch=epoch)
    assert states(look) == {"f1": "gone", "f2": "closed"}
    reason = look.one("SELECT reason FROM files WHERE id = 'f1'")
    assert reason.startswith("404 \\0 it") and len(reason) == 500
    assert on_disk(contents) == {}


@pytest.mark.usefixtures("full")
def test_what_is_put_off_waits_ever_longer_and_keeps_what_came(
    files: DatabaseFiles, epoch: int, look: Look, contents: Contents
) -> None:
    minutes = []
    for _ in range(12):
        with files.part(ONE) as part:
            assert part is not None
            part.write(b"x")
        files.put_off(ONE, "500", epoch=epoch)
        waits = "SELECT extract(epoch FROM due_at - now())::int FROM files"
        minutes.append(round(look.one(f"{waits} WHERE id = 'f1'") / 60))
        begin(look, "f1")
    assert minutes[:4] == [10, 20, 40, 80] and minutes[-1] == 1440
    assert on_disk(contents) == {"partial/p1.f1": b"x" * 12}


@pytest.mark.usefixtures("full")
def test_what_is_larger_than_told_is_known_from_then_on(
    files: DatabaseFiles, epoch: int, contents: Contents, database: Database
) -> None:
    with files.part(ONE) as part:
        assert part is not None
    files.put_off(ONE, "too large", epoch=epoch, size=LARGEST + 1)
    assert on_disk(contents) == {}
    counts = count_files(database, largest=LARGEST)
    assert counts.states == {"too large": 1, "fetching": 1}
    assert count_files(database, largest=LARGEST + 1).states["waiting"] == 1
