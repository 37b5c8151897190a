"""The made archive has of everything something, and is the same each time."""

from __future__ import annotations

import orjson

from malexbot.storage.archive import Archive
from malexbot.storage.database import Database
from tests.support.archive_of import fill

HAS = {
    "posts": "SELECT count(*) FROM posts",
    "replies": "SELECT count(*) FROM posts JOIN posts r ON posts.root_id = r.id",
    "edits": "SELECT count(*) FROM posts JOIN post_versions ON post_id = id",
    "deleted": "SELECT count(*) FROM posts WHERE delete_at > 0",
    "reactions": "SELECT count(*) FROM reactions",
    "files": "SELECT count(*) FROM posts WHERE raw LIKE '%%\"files\"%%'",
    "russian": "SELECT count(*) FROM posts WHERE message ~ '[а-я]'",
    "english": "SELECT count(*) FROM posts WHERE message ~ '[a-z]'",
    "people": "SELECT count(*) FROM people JOIN posts USING (user_id)",
}


def test_it_has_of_everything(database: Database) -> None:
    fill(database, 2000)
    with database.transaction() as cursor:
        found = {}
        for name, query in HAS.items():
            cursor.execute(query)
            found[name] = (cursor.fetchone() or (0,))[0]
    assert found["posts"] == 2000
    assert min(found.values()) > 5, found
    rows = list(Archive(database).posts())
    assert all(orjson.dumps(row) for row in rows)
    assert len({row["message"] for row in rows}) > 1900
