"""Files become jobs, a few at a time, the newest first; and nothing is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from malexbot.errors import Transient
from malexbot.ports.files import FileWanted, Unwritable
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop
from malexbot.storage import filing as module
from malexbot.storage.backlog import Backlog
from malexbot.storage.contents import Contents
from malexbot.storage.database import Database, Fenced
from malexbot.storage.files import DatabaseFiles, count_files
from malexbot.storage.filing import PART, Filing, Wishes
from malexbot.storage.indexing import Indexing
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from tests.storage.conftest import Look
from tests.storage.filed import LARGEST, fetch, on_disk, states, with_files
from tests.storage.happenings import kept, post, posted
from tests.support.threads import Running, eventually

KEEP, IGNORE = Wishes(keeps=True, largest=LARGEST), Wishes(keeps=False, largest=LARGEST)
WAITING = "UPDATE files SET state = 'waiting', job_id = NULL, due_at = now()"
Made = Callable[..., Filing]


@pytest.fixture
def contents(tmp_path: Path) -> Contents:
    return Contents(tmp_path / "files", reserve_bytes=0)


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def made(
    database: Database, leadership: Leadership, contents: Contents, health: Health
) -> Made:
    def make(wishes: Wishes = KEEP, **other: Any) -> Filing:
        given: dict[str, Any] = {"side_by_side": 2, "epoch": lambda: leadership.epoch}
        return Filing(
            database, contents, wishes=wishes, health=health, **(given | other)
        )

    return make


@pytest.fixture
def archive(
    journal: DatabaseJournal, database: Database, leadership: Leadership
) -> Callable[..., None]:
    """Keeps posts, and what hangs on them is noted."""

    def keep(*ids: str, **other: Any) -> None:
        posts = [
            with_files(f"p{id_}", f"f{id_}", create_at=int(id_) * 1000, **other)
            for id_ in ids
        ]
        journal.write([kept(*map(posted, posts))])
        index = Indexing(database, epoch=lambda: leadership.epoch, written=lambda: 0)
        index.catch_up()

    return keep


@pytest.fixture
def files(database: Database, contents: Contents) -> DatabaseFiles:
    return DatabaseFiles(database, contents)


def wanted(number: int) -> FileWanted:
    return FileWanted(f"p{number}", f"f{number}", 5)


def job_ids(look: Look) -> list[int]:
    return [id_ for (id_,) in look("SELECT id FROM jobs WHERE kind = 'file'")]


# What becomes a job.


def test_a_few_at_a_time_are_jobs_and_the_newest_come_first(
    made: Made, archive: Any, look: Look, jobs: DatabaseJobs
) -> None:
    archive("1", "2", "3")
    assert made().plan() == 2
    assert states(look) == {"f1": "waiting", "f2": "fetching", "f3": "fetching"}
    claimed = jobs.claim(kinds=["file"], limit=9, lease_s=60)
    assert sorted(job.payload["id"] for job in claimed) == ["f2", "f3"]
    assert {(job.name, job.lane) for job in claimed} == {
        ("mattermost", "file:p2:f2"),
        ("mattermost", "file:p3:f3"),
    }
    assert made().plan() == 0


def test_what_ends_makes_room_before_its_job_is_ended(
    made: Made, archive: Any, look: Look, files: DatabaseFiles, leadership: Leadership
) -> None:
    archive("1", "2", "3")
    filing = made()
    filing.look()
    filing.plan()
    assert fetch(files, leadership.epoch, wanted(3))
    assert filing.plan() == 1
    assert states(look) == {"f1": "fetching", "f2": "fetching", "f3": "kept"}


def test_who_does_the_jobs_is_told_their_lanes(made: Made, archive: Any) -> None:
    archive("1")
    filing, told = made(), []
    filing.on_jobs = told.extend
    filing.plan()
    filing.plan()
    assert told == ["file:p1:f1"]


def test_what_is_too_large_waits_until_more_is_allowed(
    made: Made, archive: Any, look: Look
) -> None:
    archive("1", size=LARGEST + 1)
    assert made().plan() == 0
    assert made(Wishes(keeps=True, largest=LARGEST + 1)).plan() == 1


def test_what_was_put_off_is_no_job_before_its_time(
    made: Made, archive: Any, look: Look, files: DatabaseFiles, leadership: Leadership
) -> None:
    archive("1")
    filing = made()
    filing.plan()
    files.put_off(wanted(1), "500", epoch=leadership.epoch)
    assert filing.plan() == 0
    look("UPDATE files SET due_at = now()")
    assert filing.plan() == 1


def test_what_was_closed_is_tried_again_and_what_was_gone_is_not(
    made: Made, archive: Any, look: Look, files: DatabaseFiles, leadership: Leadership
) -> None:
    archive("1", "2")
    filing = made()
    filing.plan()
    files.give_up(wanted(1), "closed", "403", epoch=leadership.epoch)
    files.give_up(wanted(2), "gone", "404", epoch=leadership.epoch)
    assert filing.plan() == 0
    look("UPDATE files SET due_at = now()")
    filing.plan()
    assert states(look) == {"f1": "fetching", "f2": "gone"}


def test_who_is_not_the_active_daemon_makes_no_job(
    made: Made, archive: Any, leadership: Leadership, look: Look
) -> None:
    archive("1")
    with pytest.raises(Fenced):
        made(epoch=lambda: leadership.epoch - 1).plan()
    assert job_ids(look) == []


# What was cut off.


@pytest.mark.parametrize(
    ("end", "state"),
    [
        ("DELETE FROM jobs", "waiting"),
        ("UPDATE jobs SET state = 'done', finished_at = now()", "waiting"),
        ("UPDATE jobs SET state = 'dropped', finished_at = now()", "gone"),
        ("UPDATE jobs SET state = 'dead', finished_at = now()", "fetching"),
        ("SELECT", "fetching"),
    ],
)
def test_a_file_whose_job_is_no_more_is_found(
    made: Made, archive: Any, look: Look, end: str, state: str
) -> None:
    archive("1")
    filing = made()
    filing.plan()
    look(end)
    filing.look()
    assert states(look) == {"f1": state}


def test_a_dead_job_leaves_its_room_to_others(
    made: Made, archive: Any, look: Look, database: Database
) -> None:
    archive("1", "2", "3")
    filing = made()
    filing.plan()
    look("UPDATE jobs SET state = 'dead', finished_at = now()")
    assert filing.plan() == 1
    (job_id,) = look("SELECT job_id FROM files WHERE id = 'f3'")[0]
    assert Backlog(database).retry(job_id)
    filing.look()
    assert states(look)["f3"] == "fetching"


def test_a_kept_file_that_is_not_there_any_more_is_fetched_again(
    made: Made,
    archive: Any,
    look: Look,
    files: DatabaseFiles,
    contents: Contents,
    leadership: Leadership,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    archive("1", "2")
    filing = made()
    filing.look()
    filing.plan()
    fetch(files, leadership.epoch, wanted(1), b"one")
    fetch(files, leadership.epoch, wanted(2), b"two")
    (lost,) = (
        path
        for path in contents.folder.rglob("*/*")
        if path.is_file() and path.read_bytes() == b"one"
    )
    lost.unlink()
    monkeypatch.setattr(module, "PIECE", 1)
    fresh = made()
    fresh.look()
    while fresh.go_on():
        pass
    assert states(look) == {"f1": "waiting", "f2": "kept"}
    fresh.plan()
    assert fetch(files, leadership.epoch, wanted(1), b"one")
    assert lost.read_bytes() == b"one"


def test_another_machine_fetches_for_itself_and_forgets_nothing(
    made: Made,
    archive: Any,
    look: Look,
    files: DatabaseFiles,
    contents: Contents,
    database: Database,
    leadership: Leadership,
    health: Health,
    tmp_path: Path,
) -> None:
    archive("1", "2")
    filing = made()
    filing.look()
    filing.plan()
    for number in (1, 2):
        fetch(files, leadership.epoch, wanted(number), b"%d" % number)
    there = Contents(tmp_path / "there", reserve_bytes=0)
    other = Filing(
        database,
        there,
        epoch=lambda: leadership.epoch,
        wishes=KEEP,
        health=health,
        side_by_side=2,
    )
    other.look()
    while other.go_on():
        pass
    assert other.plan() == 2
    elsewhere = DatabaseFiles(database, there)
    assert fetch(elsewhere, leadership.epoch, wanted(1), b"1")
    elsewhere.give_up(wanted(2), "gone", "404", epoch=leadership.epoch)
    assert states(look) == {"f1": "kept", "f2": "kept"}
    assert len(on_disk(there)) == 1 and len(on_disk(contents)) == 2
    assert count_files(database, largest=LARGEST).bytes == 2
    look("DELETE FROM posts")
    filing.look()
    other.look()
    assert on_disk(there) == on_disk(contents) == {}


# What was archived before.


def test_posts_of_before_are_looked_through_in_pieces(
    made: Made, journal: DatabaseJournal, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PIECE", 2)
    posts = [with_files(f"p{n}", f"f{n}", create_at=n) for n in range(5)]
    journal.write([kept(*map(posted, posts), posted(post("p9", create_at=9)))])
    look("INSERT INTO unfiled DEFAULT VALUES")
    filing, seen = made(IGNORE), []
    while filing.go_on():
        seen.append(len(states(look)))
    assert seen == [2, 4, 5]
    assert look("SELECT FROM unfiled") == []


# The service.


def test_it_does_all_that_when_it_is_woken(
    made: Made, archive: Any, look: Look, health: Health, contents: Contents
) -> None:
    filing = made()
    ended: list[str] = []
    filing.on_end = lambda: ended.append("ended")
    with Running(filing):
        eventually(lambda: contents.place)
        archive("1")
        filing.wake()
        eventually(lambda: job_ids(look))
        eventually(lambda: health.parts().get(PART))
    assert ended == ["ended"] and health.is_ready


def test_a_fault_halts_nobody_who_fetches(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    filing = made()
    ended: list[str] = []
    filing.on_end = lambda: ended.append("ended")

    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(filing, "look", fail)
    with pytest.raises(ZeroDivisionError):
        filing.run(Stop())
    assert ended == []


def test_nothing_is_fetched_or_made_without_the_wish(
    made: Made, archive: Any, look: Look, health: Health, contents: Contents
) -> None:
    archive("1")
    filing = made(IGNORE)
    filing.look()
    filing._turn()
    assert job_ids(look) == [] and not contents.folder.exists()
    assert PART not in health.parts()
    filing.adopt(KEEP)
    filing._turn()
    assert len(job_ids(look)) == 1 and contents.place
    assert health.parts()[PART] == "1 to fetch"


def test_what_is_erased_goes_without_the_wish_too(
    made: Made,
    archive: Any,
    look: Look,
    files: DatabaseFiles,
    contents: Contents,
    leadership: Leadership,
) -> None:
    archive("1")
    filing = made()
    filing.look()
    filing.plan()
    fetch(files, leadership.epoch, wanted(1))
    look("DELETE FROM posts")
    filing.adopt(IGNORE)
    filing._turn()
    assert on_disk(contents) == {}


def test_a_full_disk_is_told_and_heals(
    made: Made,
    archive: Any,
    look: Look,
    health: Health,
    contents: Contents,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    archive("1")
    filing = made()
    with monkeypatch.context() as patched:

        def full() -> None:
            raise Unwritable("the disk is full")

        patched.setattr(contents, "check", full)
        filing._turn()
        filing._turn()
        assert health.states()[PART] == {"state": "the disk is full", "is_ready": False}
        assert job_ids(look) == []
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    filing.adopt(KEEP)
    filing._turn()
    assert health.is_ready and len(job_ids(look)) == 1


def test_a_database_that_is_away_is_tried_again(
    made: Made, archive: Any, look: Look, leadership: Leadership
) -> None:
    archive("1")
    away = [Transient("away")]

    def epoch() -> int:
        if away:
            raise away.pop()
        return leadership.epoch

    filing = made(epoch=epoch)
    with Running(filing):
        eventually(lambda: not away)
        filing.wake()
        eventually(lambda: job_ids(look))
