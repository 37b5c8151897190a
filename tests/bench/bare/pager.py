"""The bare pager: one connection reads every channel page by page and writes it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import orjson
import psycopg2
import requests

from tests.bench.bare.posts import BATCH, Row, row, write

PAGE = 200


class Server:
    """REST with one connection that is kept."""

    def __init__(self, url: str, token: str) -> None:
        self._api = f"{url}/api/v4"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: int) -> Any:
        answer = self._session.get(self._api + path, params=query)
        answer.raise_for_status()
        return orjson.loads(answer.content)

    def channels(self) -> Iterator[str]:
        for team in self.get("/users/me/teams"):
            for channel in self.get(f"/users/me/teams/{team['id']}/channels"):
                yield channel["id"]

    def posts(self, channel: str) -> Iterator[dict[str, Any]]:
        number, order = 0, [""]
        while order:
            path = f"/channels/{channel}/posts"
            page = self.get(path, page=number, per_page=PAGE)
            order = page["order"]
            yield from (page["posts"][id] for id in order)
            number += 1


def main(told: dict[str, Any]) -> None:
    database = psycopg2.connect(**told["database"])
    server = Server(told["url"], told["token"])
    print("ready", flush=True)
    rows: list[Row] = []
    for channel in server.channels():
        for post in server.posts(channel):
            rows.append(row(post, orjson.dumps(post).decode()))
            if len(rows) == BATCH:
                write(database, rows)
    write(database, rows)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
