"""How the bare loops write posts: 500 rows a statement, one commit each."""

from __future__ import annotations

from typing import Any

from psycopg2.extensions import connection
from psycopg2.extras import execute_values

BATCH = 500

UPSERT = """
INSERT INTO posts (
  id, channel_id, user_id, root_id, type, message, create_at, update_at, edit_at,
  delete_at, raw, kept_from
) VALUES %s
ON CONFLICT (id) DO UPDATE SET message = excluded.message,
  update_at = excluded.update_at, edit_at = excluded.edit_at, raw = excluded.raw
WHERE excluded.update_at > posts.update_at
"""

Row = tuple[Any, ...]


def row(post: dict[str, Any], raw: str) -> Row:
    return (
        post["id"],
        post["channel_id"],
        post["user_id"],
        post["root_id"],
        post["type"],
        post["message"],
        post["create_at"],
        post["update_at"],
        post["edit_at"],
        post["delete_at"],
        raw,
        post["edit_at"],
    )


def write(database: connection, rows: list[Row]) -> None:
    if rows:
        with database.cursor() as cursor:
            execute_values(cursor, UPSERT, rows, page_size=BATCH)
        database.commit()
        rows.clear()
