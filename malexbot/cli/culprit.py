"""Which setting to look at when a target of events cannot be reached."""

from __future__ import annotations

import re

from malexbot.config.workstream import Receiver

# What the words of a target that is away tell, the most telling first; else it is its
# address. Older clients of Redis leave its code out.
_BY_WORDS = (
    ("WRONGPASS|username-password|without any password", ("username", "password")),
    ("NOPERM", ("username",)),
    ("NOAUTH|Authentication required", ("password",)),
    ("not valid for", ("url",)),
    ("certificate", ("ca_file",)),
)


def culprit(target: str, told: str) -> str:
    """Of `redis` or `http:NAME`: `redis.username and redis.password`."""
    block = target.replace(":", ".", 1)
    found = (names for words, names in _BY_WORDS if re.search(words, told))
    return " and ".join(f"{block}.{name}" for name in next(found, ("url",)))


def culprit_of(receiver: Receiver | None, told: str) -> str:
    """Of who is told the workstream log."""
    match receiver:
        case Receiver("redis"):
            return culprit("redis", told)
        case Receiver("http", name):
            return culprit(f"http:{name}", told)
    return "workstream.to"
