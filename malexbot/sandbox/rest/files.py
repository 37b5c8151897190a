"""Files: uploaded by a form or as a raw body, described, and given back."""

from __future__ import annotations

import base64
import mimetypes
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import PurePath
from urllib.parse import quote

import orjson

from malexbot.sandbox.call import Answer, Call, Result, Route, created
from malexbot.sandbox.clock import new_id
from malexbot.sandbox.content import File
from malexbot.sandbox.refusals import Refusal, bad_body, not_allowed
from malexbot.sandbox.world import World


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
        kind = file.mime_type or "application/octet-stream"
        return Answer(200, content, kind, headers)

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
        files = [self._save(call.user.id, name, content) for name, content in parts]
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
        file = self._save(call.user.id, name, call.request.body)
        return created({"file_infos": [file.as_dict()], "client_ids": None})

    def _save(self, user_id: str, name: str, content: bytes) -> File:
        if len(content) > self.world.settings.max_file_bytes:
            raise Refusal("api.file.upload_file.too_large_detailed.app_error")
        width, height = _png_size(content)
        return self.world.files.put(
            File(
                id=new_id(),
                user_id=user_id,
                create_at=self.world.now_ms(),
                name=PurePath(name).name,
                extension=PurePath(name).suffix.lstrip(".").lower(),
                size=len(content),
                mime_type=_mime_type(name),
                content=base64.b64encode(content).decode(),
                width=width,
                height=height,
            )
        )

    def _readable(self, call: Call) -> File:
        file = self.world.files.get(call["file_id"])
        if file is None:
            raise Refusal("app.file_info.get.app_error")
        post = self.world.posts.get(file.post_id)
        is_shown = post is not None and self.world.may_in_channel(
            call.user, post.channel_id
        )
        if file.user_id != call.user.id and not is_shown:
            raise not_allowed(call.user.id, "read_channel")
        return file


def _mime_type(name: str) -> str:
    """By the extension; what the server does not know is empty."""
    kind = mimetypes.guess_type(name)[0] or ""
    if kind == "application/octet-stream":
        return ""
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _png_size(content: bytes) -> tuple[int, int]:
    if not content.startswith(b"\x89PNG\r\n\x1a\n") or len(content) < 24:
        return 0, 0
    width, height = struct.unpack("!II", content[16:24])
    return width, height
