"""Asks a sandbox what was asked of a real server, and notes what differs."""

from __future__ import annotations

import ast
import json
from typing import Any

import requests

from malexbot.sandbox.sandbox import Sandbox
from tests.sandbox.clients import Client, Rest
from tests.sandbox.recorded import Comparison, load, shape

_COUNTS = frozenset({"total_msg_count", "total_msg_count_root", "last_post_at"})
# Only that they are there; their values are of the moment.
_PRESENT = {"x-request-id", "x-version-id"}
_TINY_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000200000002080200000"
    "0fdd49a730000001149444154789c63f8cfc000044c10ea3f0024eb02"
    "fe6ebb8d2f0000000049454e44ae426082"
).ljust(74, b"\0")
FORMS: dict[str, list[tuple[str, Any]]] = {
    "file_upload_multipart": [
        ("files", ("hello.txt", b"hello file\n")),
        ("client_ids", (None, "cid1")),
    ],
    "file_upload_image": [("files", ("tiny.png", _TINY_PNG))],
}


class Replay:
    """One story: requests, things that happen in between, and the bot's frames."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.same = Comparison()
        self.rows = load("rest.jsonl")
        self.frames = load("frames.jsonl")
        # By the name of the excerpt: what differed; no entry: it was not asked.
        self.found: dict[str, list[str]] = {}
        self.tokens = self.same.tokens = {"wrong": "wrong" * 5 + "w", "": ""}
        # What a login leaves behind must not log in the ones who come after.
        self._rest = Rest(sandbox.url, keeps_cookies=False)

    def close(self) -> None:
        self._rest.close()

    # Requests.

    def ask(self, *names: str, loose: frozenset[str] = frozenset()) -> None:
        """Ask again what was asked under these names, and compare the answers."""
        for name in names:
            row = self.rows[name]
            answer = self.send(name, row)
            self.found[name] = self._compare(row, answer, loose)

    def ask_shape(self, *names: str) -> None:
        """Lists that grow with the story: each recorded item has its like in ours."""
        for name in names:
            row = self.rows[name]
            answer = self.send(name, row)
            ours = [shape(item) for item in _items(answer.json())]
            missing = [i for i in _items(row["answer"]) if shape(i) not in ours]
            self.found[name] = [f"nothing like {str(i):.300}" for i in missing]

    def given(self, who: str, method: str, path: str, body: Any = None) -> Any:
        """Something that happened in between and was not recorded as a request."""
        same = self.same
        answer = self._rest(
            method,
            same.ours(path),
            json=same.ours(body),
            headers=self._authorization(who),
        )
        assert answer.status_code < 300, (path, answer.text)
        return answer.json()

    def send(self, name: str, row: dict[str, Any]) -> requests.Response:
        path = self.same.ours(row["path"]).replace(
            "{token}", self.tokens.get("bot", "")
        )
        headers = self._authorization(row["who"])
        if "if_none_match" in row:
            path = self.same.ours(row["path"])
            etag = self._rest("GET", path, headers=headers).headers["Etag"]
            headers["If-None-Match"] = etag
        if name in FORMS:
            body = self.same.ours("gjrw6j4f7tye3bo7g58bhmy7ra")
            form = [("channel_id", (None, body)), *FORMS[name]]
            return self._rest("POST", path, files=form, headers=headers)
        body = row["body"]
        if isinstance(body, str):
            raw = ast.literal_eval(body) if body.startswith("b'") else body.encode()
            return self._rest(row["method"], path, data=raw, headers=headers)
        return self._rest(
            row["method"],
            path,
            data=None if body is None else json.dumps(self.same.ours(body)),
            headers=headers,
        )

    def _authorization(self, who: str) -> dict[str, str]:
        if who == "cookie":
            return {"Cookie": f"MMAUTHTOKEN={self.tokens['bot']}"}
        token = self.tokens.get(who, "")
        return {"Authorization": f"Bearer {token}"} if token else {}

    def _compare(
        self, row: dict[str, Any], answer: requests.Response, loose: frozenset[str]
    ) -> list[str]:
        found = []
        if row["status"] != answer.status_code:
            found.append(f"status {row['status']} became {answer.status_code}")
        for name, recorded in row["headers"].items():
            value = self.same.ours(recorded)
            ours = answer.headers.get(name)
            if ours is None or (name not in _PRESENT and not _fits(value, ours)):
                found.append(f"header {name}: {value!r} became {ours!r}")
        body = _body(row["answer"], answer.text)
        return found + self.same.differences(row["answer"], body, loose)

    # Frames.

    def expect(self, client: Client, *numbers: str, loose: bool = False) -> None:
        """The next frames of a socket are those recorded under these numbers."""
        for number in numbers:
            name = next(name for name in self.frames if name.startswith(number))
            fields = _COUNTS if loose else frozenset()
            frame = client.receive()
            self.found[name] = self.same.differences(
                self.frames[name]["frame"], frame, fields
            )


def _fits(recorded: str, ours: str) -> bool:
    """Etags and versions carry ids and times: their build must be the same."""
    if recorded.startswith("5.37.0."):
        return recorded.count(".") == ours.count(".") and ours.startswith("5.37.0.")
    return recorded == ours


def _items(answer: Any) -> list[Any]:
    return list(answer["posts"].values()) if isinstance(answer, dict) else answer


def _body(recorded: Any, text: str) -> Any:
    if isinstance(recorded, str):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
