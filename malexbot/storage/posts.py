"""How posts, their versions and reactions are merged into the archive, set by set.

Rows come live and by backfill, late, twice, in any order; what they leave does not
depend on it. A row that is ahead of its post waits in `echoes` and is merged with it.
"""

from __future__ import annotations

from collections.abc import Iterable

from malexbot.events import Event, Post, Reaction
from malexbot.ports import Entry, Vanished
from malexbot.storage.copying import copy, escape
from malexbot.storage.session import Cursor
from malexbot.storage.statement import Statement

TABLE = "CREATE TEMP TABLE IF NOT EXISTS incoming (LIKE echoes INCLUDING DEFAULTS);"

_COLUMNS = (
    "kind, keeps, id, channel_id, user_id, root_id, type, create_at, update_at,"
    " edit_at, delete_at, message, raw, emoji"
)
_CONTENT = (
    "channel_id, user_id, root_id, type, message, create_at, update_at, edit_at, raw"
)
_NULL = "\\N"

_ALL = ("d", "v", "a", "r", "other", "reply")

# What is written anew is found by other words.
_NOTE = """
INSERT INTO unindexed (post_ids)
SELECT array_agg(id) FROM changed HAVING count(*) > 0
"""


def _noting(statement: str) -> str:
    return f"WITH changed AS ({statement} RETURNING posts.id) {_NOTE}"


# Echoes of posts that are kept now come back.
_RECALL = f"""
WITH heard AS (
  DELETE FROM echoes e WHERE e.id IN (SELECT id FROM incoming WHERE keeps)
  RETURNING {_COLUMNS}
)
INSERT INTO incoming ({_COLUMNS}) SELECT {_COLUMNS} FROM heard RETURNING id
"""
# What an edit is about to replace becomes a row like the others: an old version.
_SUPERSEDE = f"""
INSERT INTO incoming (kind, keeps, id, {_CONTENT})
SELECT 'p', true, id, {_CONTENT} FROM posts
JOIN (
  SELECT id, max(edit_at) AS newest FROM incoming
  WHERE kind = 'p' AND edit_at > 0 GROUP BY id
) i USING (id)
WHERE i.newest > edit_at
"""
_NEWEST = "ORDER BY id, edit_at DESC, update_at DESC"
_SET = ", ".join(f"{name} = {{row}}.{name}" for name in _CONTENT.split(", "))
_INSERT = f"""
INSERT INTO posts (id, {_CONTENT}, kept_from)
SELECT DISTINCT ON (id) id, {_CONTENT}, edit_at FROM incoming
WHERE kind = '{{kind}}' AND keeps {_NEWEST}
ON CONFLICT (id)
"""
# It tells what was archived before, and as new as this.
_MERGE_KEPT = Statement(
    "keep_posts",
    f"""
WITH changed AS (
  {_INSERT.format(kind="p")} DO UPDATE SET {_SET.format(row="excluded")}
  WHERE (excluded.edit_at, excluded.update_at) > (posts.edit_at, posts.update_at)
  RETURNING id
), noted AS ({_NOTE})
SELECT id FROM incoming WHERE kind = 'p' AND keeps EXCEPT SELECT id FROM changed
""",
)
_MERGE_LAST_WORDS = _noting(f"{_INSERT.format(kind='t')} DO NOTHING")
_MERGE_OTHERS = _noting(f"""
UPDATE posts SET {_SET.format(row="i")}
FROM (
  SELECT DISTINCT ON (id) id, {_CONTENT} FROM incoming
  WHERE kind = 'p' AND NOT keeps {_NEWEST}
) i
WHERE posts.id = i.id
  AND (i.edit_at, i.update_at) > (posts.edit_at, posts.update_at)
""")
_KEEP_FROM = """
UPDATE posts SET kept_from = i.edit_at
FROM (
  SELECT id, min(edit_at) AS edit_at FROM incoming
  WHERE kind = 'p' AND keeps AND id = ANY(%(ids)s) GROUP BY id
) i
WHERE posts.id = i.id AND posts.kept_from > i.edit_at
"""
# A pin leaves an old version of the edit that is still the latest: that is none.
# Servers show old versions without their text: one that was heard is better.
_VERSIONS = """
INSERT INTO post_versions (post_id, edit_at, message, raw)
SELECT DISTINCT ON (i.id, i.edit_at) i.id, i.edit_at, i.message, i.raw
FROM incoming i JOIN posts p ON p.id = i.id
WHERE i.id = ANY(%(ids)s) AND (
  (i.kind = 'p' AND i.edit_at < p.edit_at AND (i.keeps OR i.edit_at >= p.kept_from))
  OR (i.kind = 'v' AND i.edit_at <> p.edit_at)
)
ORDER BY i.id, i.edit_at, i.message = '', i.update_at DESC
ON CONFLICT (post_id, edit_at) DO UPDATE
SET message = excluded.message, raw = excluded.raw
WHERE post_versions.message = '' AND excluded.message <> ''
"""
_LATEST_IS_NO_VERSION = """
DELETE FROM post_versions v USING posts p
WHERE v.post_id = ANY(%(ids)s) AND p.id = v.post_id AND p.edit_at = v.edit_at
"""
_DELETE = """
UPDATE posts SET delete_at = d.at
FROM (
  SELECT id, min(delete_at) AS at FROM incoming WHERE kind = 'd' GROUP BY id
) d
WHERE posts.{key} = d.id AND (posts.delete_at = 0 OR posts.delete_at > d.at)
"""
_DELETE_POSTS = _noting(_DELETE.format(key="id"))
# By the index of replies, which is of no use unless it is told that they are some.
_DELETE_REPLIES = _noting(f"{_DELETE.format(key='root_id')} AND posts.root_id <> ''")
# A reply that comes in a later batch than the deletion of its root, which may be
# unknown to us.
_DELETE_LATE_REPLIES = _noting("""
UPDATE posts SET delete_at = d.at
FROM (
  SELECT i.id, min(root.at) AS at
  FROM incoming i JOIN (
    SELECT id, delete_at AS at FROM posts
    WHERE delete_at > 0 AND id IN (SELECT root_id FROM incoming)
    UNION ALL SELECT id, delete_at FROM echoes
    WHERE kind = 'd' AND id IN (SELECT root_id FROM incoming)
  ) root ON root.id = i.root_id
  WHERE i.kind IN ('p', 't')
  GROUP BY i.id
) d
WHERE posts.id = d.id AND (posts.delete_at = 0 OR posts.delete_at > d.at)
""")
_REACTIONS = """
INSERT INTO reactions AS r (post_id, user_id, emoji, added_at, removed_at)
SELECT id, user_id, emoji,
  coalesce(max(update_at) FILTER (WHERE kind = 'a'), 0),
  coalesce(max(update_at) FILTER (WHERE kind = 'r'), 0)
FROM incoming
WHERE kind IN ('a', 'r') AND id IN (SELECT id FROM posts)
GROUP BY id, user_id, emoji
ON CONFLICT (post_id, user_id, emoji) DO UPDATE
SET added_at = greatest(r.added_at, excluded.added_at),
  removed_at = greatest(r.removed_at, excluded.removed_at)
"""
_ECHO = f"""
INSERT INTO echoes ({_COLUMNS})
SELECT {", ".join(f"i.{name}" for name in _COLUMNS.split(", "))}
FROM incoming i LEFT JOIN posts p ON p.id = i.id
WHERE NOT i.keeps AND (
  (p.id IS NULL AND (i.kind <> 'p' OR i.edit_at > 0))
  OR (i.kind = 'p' AND i.edit_at > 0 AND i.edit_at < p.kept_from)
)
"""


class Posts:
    """What one batch says of posts: added row by row, then merged at once."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._kinds: set[str] = set()
        self._has_kept = False
        # The rest, almost all of a history, was never edited: it has one version.
        self._edited: set[str] = set()

    def add(self, entry: Entry) -> None:
        """Raises ValueError for a reaction whose event_id is none."""
        event, post = entry.event, entry.event.post
        if not entry.is_archived:
            return
        if post is None:
            if event.reaction is not None:
                self._add_reaction(event, event.reaction)
        elif post.original_id:
            self._add_content("v", post, post.original_id, False)
            self._edited.add(post.original_id)
        elif post.delete_at or event.name == "post_deleted":
            self._add_deletion(entry, post)
        elif entry.keeps:
            self._has_kept = True
            self._add_content("p", post, post.id, True)
            if post.edit_at:
                self._edited.add(post.id)
        elif post.edit_at or post.update_at > post.create_at:
            self._add_content("p", post, post.id, False)
            self._kinds.add("other")
            self._edited.add(post.id)

    def vanish(self, mark: Vanished) -> None:
        """Posts that the server lacks were deleted, at the latest now."""
        for post_id in mark.post_ids:
            self._add_bare("d", post_id, delete_at=mark.found_at)

    def merge(self, cursor: Cursor) -> None:
        """All of it, in the transaction of `cursor`."""
        if not self._lines:
            return
        copy(cursor, "incoming", _COLUMNS, self._lines)
        if self._has_kept or "t" in self._kinds:
            cursor.execute(_RECALL)
            if recalled := _ids(cursor):
                self._kinds.update(_ALL)
                self._edited |= recalled
        self._merge_contents(cursor)
        for statement in self._rest():
            cursor.execute(statement)

    def _merge_contents(self, cursor: Cursor) -> None:
        edited = self._edited
        if edited:
            cursor.execute(_SUPERSEDE)
        if self._has_kept or edited:
            cursor.run(_MERGE_KEPT)
            edited |= _ids(cursor)
        if "t" in self._kinds:
            cursor.execute(_MERGE_LAST_WORDS)
        if "other" in self._kinds:
            cursor.execute(_MERGE_OTHERS)
        if edited:
            versions = f"{_KEEP_FROM}; {_VERSIONS}; {_LATEST_IS_NO_VERSION}"
            cursor.execute(versions, {"ids": list(edited)})

    def _rest(self) -> Iterable[str]:
        kinds = self._kinds
        if "d" in kinds:
            yield _DELETE_POSTS
            yield _DELETE_REPLIES
        if "reply" in kinds:
            yield _DELETE_LATE_REPLIES
        if kinds & {"a", "r"}:
            yield _REACTIONS
        if kinds & {"other", "d", "v", "a", "r"}:
            yield _ECHO

    def _add_content(self, kind: str, post: Post, post_id: str, keeps: bool) -> None:
        self._kinds.add(kind)
        if post.root_id:
            self._kinds.add("reply")
        keep = "t" if keeps else "f"
        self._lines.append(
            f"{kind}\t{keep}\t{post_id}\t{post.channel_id}\t{post.user_id}"
            f"\t{post.root_id}\t{post.type}\t{post.create_at}\t{post.update_at}"
            f"\t{post.edit_at}\t0\t{escape(post.message)}\t{escape(post.raw)}\t\\N"
        )

    def _add_deletion(self, entry: Entry, post: Post) -> None:
        """A live deletion still tells the text: all we get of a post we missed."""
        if entry.keeps and not post.delete_at and post.message:
            self._add_content("t", post, post.id, True)
        self._add_bare(
            "d", post.id, delete_at=post.delete_at or entry.event.occurred_at
        )

    def _add_reaction(self, event: Event, reaction: Reaction) -> None:
        """Its event_id is post:user:emoji:time; one taken away has no `rid`."""
        post_id, user_id, emoji, _ = event.event_id.split(":")
        kind = "r" if reaction.rid is None else "a"
        self._add_bare(kind, post_id, user_id, emoji, update_at=event.occurred_at)

    def _add_bare(
        self,
        kind: str,
        post_id: str,
        user_id: str = _NULL,
        emoji: str = _NULL,
        *,
        update_at: int = 0,
        delete_at: int = 0,
    ) -> None:
        self._kinds.add(kind)
        self._lines.append(
            f"{kind}\tf\t{post_id}\t\\N\t{user_id}\t\\N\t\\N\t\\N\t{update_at}\t\\N"
            f"\t{delete_at}\t\\N\t\\N\t{emoji}"
        )


def _ids(cursor: Cursor) -> set[str]:
    return {id_ for (id_,) in cursor.fetchall()}
