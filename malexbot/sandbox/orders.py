"""What was ordered to go wrong: an answer, a moment, a frame."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from malexbot.sandbox.call import Answer

Moment = Literal["before", "after"]
Act = Literal["kill", "reset"]
_HTML = (
    "<html><head><title>502 Bad Gateway</title></head>"
    "<body><center><h1>502 Bad Gateway</h1></center></body></html>\n"
)


@dataclass(slots=True)
class Failure:
    """Requests whose "METHOD /path" fits are answered with an error instead."""

    status: int
    pattern: re.Pattern[str]
    # How many more; below zero without end.
    times: int
    # 1 = each request, 3 = each third one.
    every: int
    is_html: bool
    retry_after_s: int
    seen: int = 0

    def hits(self, request: str) -> bool:
        if not self.times or not self.pattern.search(request):
            return False
        self.seen += 1
        if self.seen % self.every:
            return False
        self.times -= 1
        return True

    @property
    def answer(self) -> Answer:
        wait = {"Retry-After": str(self.retry_after_s)}
        headers = wait if self.status in (429, 503) else {}
        if self.is_html:
            return Answer(self.status, _HTML.encode(), "text/html", headers)
        if self.status == 429:
            text = "text/plain; charset=utf-8"
            return Answer(429, b"limit exceeded\n", text, headers)
        body = b'{"id":"sandbox.fault","message":"Ordered.","detailed_error":"",'
        body += b'"status_code":%d}' % self.status
        return Answer(self.status, body, headers=headers)


@dataclass(slots=True)
class Strike:
    """Something that happens at the k-th POST /posts from now."""

    at: int
    moment: Moment
    act: Act
    pid: int
    seen: int = 0

    def is_due(self, moment: Moment) -> bool:
        """Counts one more post; yes: this is the one."""
        if self.moment != moment:
            return False
        self.seen += 1
        return self.seen == self.at


@dataclass(frozen=True, slots=True)
class FramePlan:
    """What to do to one frame to come."""

    kind: str
    user_id: str
    text: bytes
