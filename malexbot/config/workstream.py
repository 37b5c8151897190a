"""The workstream log: who is told each thing that malexbot does."""

from __future__ import annotations

import re
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field

from malexbot.config.fields import Block, Line, Sample, lowered, whole

JOURNAL = "journal"
FORMS = "journal, redis:STREAM, http:NAME or tcp:HOST:PORT"

_PORT = whole(1, 65535)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_STREAM = re.compile(r"[^\s:]\S{0,254}")
_HOST = re.compile(r"\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9_.-]+")


class Receiver(NamedTuple):
    """Who is told: what kind it is, and what stands behind that."""

    kind: str
    """journal, redis, http, tcp."""
    name: str

    @property
    def address(self) -> tuple[str, int]:
        """Of a tcp receiver: host and port; raises ValueError."""
        host, _, port = self.name.rpartition(":")
        if not _HOST.fullmatch(host):
            raise ValueError("needs tcp:HOST:PORT, such as tcp:172.19.0.5:7560")
        return host.strip("[]"), _PORT(port)


def receiver(text: str) -> Receiver:
    """Reads what stands in `to`; raises ValueError."""
    kind, _, name = text.partition(":")
    found = Receiver(kind.strip().lower(), name.strip())
    if found.kind == "tcp" and found.address:
        return found
    is_sound = {
        JOURNAL: not name,
        "redis": bool(_STREAM.fullmatch(found.name)),
        "http": bool(_NAME.fullmatch(found.name)),
    }
    if not is_sound.get(found.kind):
        raise ValueError(f"needs {FORMS}")
    return found


def _readable(text: str) -> str:
    receiver(text)
    return text


class Workstream(Block):
    """Who is told what malexbot does: each job and its end, each post kept, and so on.

    What waits is bounded, and what is not taken is dropped and counted.
    """

    to: Annotated[
        Line | None, AfterValidator(lambda to: to and _readable(to)), Sample(JOURNAL)
    ] = Field(
        default=None,
        description="Who is told each thing that malexbot does, as a record of ids and"
        " never of what was said: journal, its own log; redis:STREAM of the Redis in"
        " `redis`; http:NAME, an entry below `http`; tcp:HOST:PORT, a logging service"
        " that takes name, mode and text. Without it, nobody is.",
    )
    tells: Annotated[Literal["all", "failures"], BeforeValidator(lowered)] = Field(
        default="all", description="`failures` leaves out what went as it should."
    )
    max_entries: int = Field(
        default=100_000,
        ge=1,
        description="About so many records the stream of redis:STREAM holds.",
    )

    @property
    def receiver(self) -> Receiver | None:
        return receiver(self.to) if self.to else None


__all__ = ["Receiver", "Workstream", "receiver"]
