"""Hands events over by Redis: each is there once, however often it is sent.

A stream entry has the fields `event` (JSON), `id` and `schema`. That it is there and
that it was sent are written by one script, so whoever lost the answer asks again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import redis

from malexbot.config.targets import Redis
from malexbot.consumers.line import Forbidden, asking, connect_as_set
from malexbot.consumers.parcel import body, place
from malexbot.errors import Permanent
from malexbot.ports import Job

# Under any other one Redis makes room by forgetting what nobody has read.
SAFE_POLICY = "noeviction"

# What is written stays written when a script fails half-way: an entry whose key
# cannot be kept is taken away again, or the next try would double it.
_APPEND = """
local known = redis.pcall('GET', KEYS[2])
if type(known) == 'table' then return known end
if known then return {known, 1} end
local made = redis.pcall('XADD', KEYS[1], unpack(ARGV, 2))
if type(made) == 'table' then return made end
local kept = redis.pcall('SET', KEYS[2], made, 'EX', ARGV[1])
if kept.err then
  redis.pcall('XDEL', KEYS[1], made)
  return kept
end
return {made, 0}
"""
# Here the key comes first: what was told cannot be taken back.
_PUBLISH = """
local kept = redis.pcall('SET', KEYS[2], 'told', 'NX', 'EX', ARGV[1])
if type(kept) == 'table' and kept.err then return kept end
if not kept then return {0, 1} end
local heard = redis.pcall('PUBLISH', KEYS[1], ARGV[2])
if type(heard) == 'table' then
  redis.pcall('DEL', KEYS[2])
  return heard
end
return {heard, 0}
"""


class RedisBus:
    """The line to it; safe to use from many threads."""

    def __init__(self, settings: Redis) -> None:
        self.settings = settings
        self._client = connect_as_set(settings)
        is_stream = settings.mode == "streams"
        self._script = _Script(_APPEND if is_stream else _PUBLISH)
        self._fields = self._entry if is_stream else self._message
        # To connect, and to be answered.
        self.timeout_s = 2 * settings.time_out

    def close(self) -> None:
        self._client.close()

    def look(self) -> str:
        try:
            with asking():
                told: Any = self._client.config_get("maxmemory-policy")
        except (Permanent, Forbidden):
            # It is there, and not everybody may ask that.
            return ""
        policy = told.get("maxmemory-policy", SAFE_POLICY)
        if policy == SAFE_POLICY:
            return ""
        return (
            f"its maxmemory-policy is {policy}: a full one throws whole streams away,"
            f" read or not; `redis-cli config set maxmemory-policy {SAFE_POLICY}`"
        )

    def send(self, jobs: Sequence[Job]) -> list[str]:
        return [self._send(job) for job in jobs]

    def _send(self, job: Job) -> str:
        name = self.settings.prefix + place(job)
        # The braces keep both on one node of a cluster.
        keys = [name, f"{{{name}}}:sent:{job.key}"]
        values = [int(self.settings.remember), *self._fields(job.payload)]
        with asking():
            made, is_repeat = self._script(self._client, keys, values)
        return self._note(made, bool(is_repeat))

    def _note(self, made: Any, is_repeat: bool) -> str:
        if self.settings.mode == "pubsub":
            return "told before" if is_repeat else f"heard by {made}"
        return f"entry {made.decode()}" + (", there before" if is_repeat else "")

    def _entry(self, payload: Mapping[str, Any]) -> list[str | bytes | int]:
        most = self.settings.max_entries
        return [
            *(("MAXLEN", "~", most) if most else ()),
            *("*", "event", body(payload)),
            *("id", payload["id"], "schema", payload["schema"]),
        ]

    def _message(self, payload: Mapping[str, Any]) -> list[bytes]:
        return [body(payload)]


class _Script:
    """A script that Redis knows by its digest, until it is restarted or flushed."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, client: redis.Redis, keys: list[str], values: list[Any]) -> Any:
        try:
            return client.evalsha(self._digest, len(keys), *keys, *values)
        except redis.exceptions.NoScriptError:
            return client.eval(self._text, len(keys), *keys, *values)
