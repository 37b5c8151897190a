"""Files: uploaded by a form or as a raw body, described, and given back."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import formatdate
from urllib.parse import quote

import orjson

from malexbot.sandbox.call import Answer, Call, Result, Route, created
from malexbot.sandbox.content import File
from malexbot.sandbox.refusals import Refusal, bad_body, not_allowed
from malexbot.sandbox.uploads import save
from malexbot.sandbox.world import World

_ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class Files:
    world: World

    def routes(self) -> Iterator[Route]:
        yield Route("POST", "/files", self.upload)
        yield Route("GET", "/files/{file_id}", self.get)
        yield Route("GET", "/files/{file_id}/info", self.info)

    def upload(self, call: Call) -> Result:
        kind = call.request.headers.get("content-type", "")
        if kind.startswith("multipart/form-data"):
            return self._form(call, kind)
        return self._raw(call)

    def get(self, call: Call) -> Result:
        file = self._readable(call)
        quoted = '"' + file.name.replace('"', "") + '"'
        name = f"attachment;filename={quoted}; filename*=UTF-8''{quote(file.name)}"
        headers = {
            "Content-Disposition": name,
            "Cache-Control": "private, no-cache",
            "X-Content-Type-Options": "nosniff",
        }
        content = base64.b64decode(file.content)
        if content:
            headers["X-Uncompressed-Content-Length"] = str(len(content))
        headers["Last-Modified"] = formatdate(file.create_at / 1000, usegmt=True)
        kind = file.mime_type or "application/octet-stream"
        return _ranged(call, Answer(200, content, kind, headers))

    def info(self, call: Call) -> Result:
        shown = orjson.dumps(self._readable(call).as_dict())
        headers = {"Cache-Control": "max-age=2592000, private"}
        return Answer(200, shown, headers=headers)

    def _form(self, call: Call, kind: str) -> Result:
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        form = BytesParser(policy=policy.HTTP).parsebytes(head + call.request.body)
        values: dict[str, list[str]] = {}
        parts: list[tuple[str, bytes]] = []
        for part in form.iter_parts():
            assert isinstance(part, EmailMessage)
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            name = part.get_param("name", header="content-disposition")
            filename = part.get_filename()
            if filename is not None:
                parts.append((filename, content))
            else:
                values.setdefault(str(name), []).append(content.decode())
        channel_id = (values.get("channel_id") or [""])[0]
        self.world.require_channel(call.user, channel_id, "upload_file")
        files = [
            save(self.world, call.user.id, name, content) for name, content in parts
        ]
        return created(
            {
                "file_infos": [file.as_dict() for file in files],
                "client_ids": values.get("client_ids", []),
            }
        )

    def _raw(self, call: Call) -> Result:
        channel_id = call.query.get("channel_id", "")
        name = call.query.get("filename", "")
        if not name:
            raise bad_body("filename")
        self.world.require_channel(call.user, channel_id, "upload_file")
        file = save(self.world, call.user.id, name, call.request.body)
        return created({"file_infos": [file.as_dict()], "client_ids": None})

    def _readable(self, call: Call) -> File:
        file = self.world.files.get(call["file_id"])
        post = self.world.posts.get(file.post_id) if file else None
        if file is None or file.is_lost or (post and post.delete_at):
            raise Refusal("app.file_info.get.app_error")
        is_shown = post is not None and self.world.may_in_channel(
            call.user, post.channel_id
        )
        if file.user_id != call.user.id and not is_shown:
            raise not_allowed(call.user.id, "read_channel")
        return file


def _ranged(call: Call, whole: Answer) -> Answer:
    """As Go's http.ServeContent does it; who asks for several parts gets the whole."""
    size, headers = len(whole.body), {"Accept-Ranges": "bytes", **whole.headers}
    found = _ONE_RANGE.fullmatch(call.request.headers.get("range", ""))
    if found is None or found[0] == "bytes=-":
        return Answer(200, whole.body, whole.content_type, headers)
    first, last = _bounds(found[1], found[2], size)
    if first >= size or last < first:
        headers["Content-Range"] = f"bytes */{size}"
        text = b"invalid range: failed to overlap\n"
        return Answer(416, text, "text/plain; charset=utf-8", headers)
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Answer(206, whole.body[first : last + 1], whole.content_type, headers)


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """The first and the last byte; without a first one they are the last so many."""
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last or size), size - 1)
