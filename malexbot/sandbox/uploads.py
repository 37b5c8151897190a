"""What somebody uploads becomes a file, which one post may then name."""

from __future__ import annotations

import base64
import mimetypes
import struct
from pathlib import PurePath

from malexbot.sandbox.clock import new_id
from malexbot.sandbox.content import File
from malexbot.sandbox.refusals import Refusal
from malexbot.sandbox.world import World


def save(world: World, user_id: str, name: str, content: bytes) -> File:
    if len(content) > world.settings.max_file_bytes:
        raise Refusal("api.file.upload_file.too_large_detailed.app_error")
    width, height = _png_size(content)
    return world.files.put(
        File(
            id=new_id(),
            user_id=user_id,
            create_at=world.now_ms(),
            name=PurePath(name).name,
            extension=PurePath(name).suffix.lstrip(".").lower(),
            size=len(content),
            mime_type=_mime_type(name),
            content=base64.b64encode(content).decode(),
            width=width,
            height=height,
        )
    )


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
