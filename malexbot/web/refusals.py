"""How the HTTP server says no, and how often it did."""

from __future__ import annotations

import threading
from collections import Counter
from http import HTTPStatus


class Refused(Exception):
    """A request that is not answered as it wished; nothing of ours is at fault."""

    def __init__(
        self, status: HTTPStatus, why: str, retry_after_s: int | None = None
    ) -> None:
        """`why` is a short fixed text: it is counted, and sent to who asked."""
        super().__init__(status, why, retry_after_s)
        self.status = status
        self.why = why
        self.retry_after_s = retry_after_s

    @property
    def text(self) -> str:
        return f"{self.status.value} {self.why}\n"

    def answer(self) -> bytes:
        """What is sent when no application was asked; it ends the connection."""
        body = self.text.encode()
        wait_s = self.retry_after_s
        again = f"Retry-After: {wait_s}\r\n" if wait_s else ""
        return (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\n"
            f"{again}"
            "Connection: close\r\n\r\n"
        ).encode() + body


class Tally:
    """Counts answers by their code, and refusals by their reason; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: Counter[int] = Counter()
        self._refusals: Counter[str] = Counter()
        self._news: Counter[str] = Counter()

    def answered(self, code: int) -> None:
        with self._lock:
            self._answers[code] += 1

    def refused(self, why: str) -> None:
        with self._lock:
            self._refusals[why] += 1
            self._news[why] += 1

    def news(self) -> Counter[str]:
        """The refusals since this was asked last."""
        with self._lock:
            news, self._news = self._news, Counter()
            return news

    @property
    def answers(self) -> Counter[int]:
        with self._lock:
            return self._answers.copy()

    @property
    def refusals(self) -> Counter[str]:
        with self._lock:
            return self._refusals.copy()
