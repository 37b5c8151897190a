"""The bare archive: one thread reads the socket and writes what has the word."""

from __future__ import annotations

import json
import sys
from typing import Any

import orjson
import psycopg2
import websocket

from tests.bench.bare.posts import BATCH, Row, row, write

# So long a batch waits for more when nothing comes.
QUIET_S = 0.02


def main(told: dict[str, Any]) -> None:
    database = psycopg2.connect(**told["database"])
    socket = websocket.create_connection(
        told["socket_url"],
        header=[f"Authorization: Bearer {told['token']}"],
        skip_utf8_validation=True,
    )
    socket.recv_data()  # the hello
    socket.settimeout(QUIET_S)
    print("ready", flush=True)
    word, rows = told["word"], list[Row]()
    while True:
        try:
            _, data = socket.recv_data()
        except websocket.WebSocketTimeoutException:
            write(database, rows)
            continue
        frame = orjson.loads(data)
        if frame["event"] != "posted":
            continue
        raw = frame["data"]["post"]
        post = orjson.loads(raw)
        if word in post["message"]:
            rows.append(row(post, raw))
            if len(rows) == BATCH:
                write(database, rows)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
