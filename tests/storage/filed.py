"""Posts with files, and what becomes of them; short to write in a test."""

from __future__ import annotations

from typing import Any

import orjson

from malexbot.events import Post
from malexbot.ports.files import FileWanted
from malexbot.storage.contents import Contents
from malexbot.storage.files import DatabaseFiles
from tests.storage.conftest import Look
from tests.storage.happenings import post

LARGEST = 1000


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
