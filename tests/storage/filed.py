"""Posts with files, and what becomes of them; short to write in a test."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson
import pytest

from malexbot.events import Post
from malexbot.ports.files import FileWanted
from malexbot.storage.contents import Contents
from malexbot.storage.database import Database
from malexbot.storage.files import DatabaseFiles
from malexbot.storage.indexing import Indexing
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from tests.storage.conftest import Look
from tests.storage.happenings import kept, post, posted

LARGEST = 1000
ONE, TWO = FileWanted("p1", "f1", 5), FileWanted("p2", "f2", 5)
HELLO = hashlib.sha256(b"hello").hexdigest()
AT = f"{HELLO[:2]}/{HELLO[2:]}"


def with_files(post_id: str, *files: str, size: Any = 5, **other: Any) -> Post:
    """A post whose JSON tells of these files."""
    told = [{"id": id_, "name": f"{id_}.txt", "size": size} for id_ in files]
    made = post(post_id, **other)
    raw = orjson.loads(made.raw) | {"metadata": {"files": told}}
    return made._replace(raw=orjson.dumps(raw).decode())


def states(look: Look) -> dict[str, str]:
    return dict(look("SELECT id, state FROM files ORDER BY id"))


def begin(look: Look, *ids: str) -> None:
    """As if jobs had them."""
    look("UPDATE files SET state = 'fetching' WHERE id = ANY (%s)", list(ids))


def fetch(
    files: DatabaseFiles, epoch: int, file: FileWanted, content: bytes = b"hello"
) -> bool:
    """It comes whole, and is kept."""
    with files.part(file) as part:
        if part is None:
            return False
        part.write(content)
        return files.keep(file, epoch=epoch)


def on_disk(contents: Contents) -> dict[str, bytes]:
    """Everything in the folder but its id, by its path there."""
    return {
        str(path.relative_to(contents.folder)): path.read_bytes()
        for path in contents.folder.rglob("*")
        if path.is_file() and path.name != "place"
    }


@pytest.fixture
def contents(tmp_path: Path) -> Contents:
    made = Contents(tmp_path / "files", reserve_bytes=0)
    made.make()
    return made


@pytest.fixture
def files(database: Database, contents: Contents) -> DatabaseFiles:
    return DatabaseFiles(database, contents)


@pytest.fixture
def epoch(leadership: Leadership) -> int:
    return leadership.epoch


@pytest.fixture
def index(database: Database, leadership: Leadership) -> Any:
    index = Indexing(database, epoch=lambda: leadership.epoch, written=lambda: 0)
    return index.catch_up


@pytest.fixture
def full(journal: DatabaseJournal, index: Any, look: Look) -> None:
    """Two posts with a file each, which jobs have."""
    journal.write(
        [kept(posted(with_files("p1", "f1")), posted(with_files("p2", "f2")))]
    )
    index()
    begin(look, "f1", "f2")
