"""The bare answerer: one thread reads the socket and answers at once."""

from __future__ import annotations

import json
import sys
from typing import Any

import orjson
import requests
import websocket


def main(told: dict[str, Any]) -> None:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {told['token']}"
    socket = websocket.create_connection(
        told["socket_url"],
        header=[f"Authorization: Bearer {told['token']}"],
        skip_utf8_validation=True,
    )
    socket.recv_data()  # the hello
    print("ready", flush=True)
    while True:
        _, data = socket.recv_data()
        frame = orjson.loads(data)
        if frame.get("event") != "posted":
            continue
        post = orjson.loads(frame["data"]["post"])
        if post["message"].startswith("ping"):
            answer = {
                "channel_id": post["channel_id"],
                "message": f"re: {post['message']}",
            }
            session.post(f"{told['url']}/api/v4/posts", json=answer).raise_for_status()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
