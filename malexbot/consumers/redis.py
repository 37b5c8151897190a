"""Hands events over by Redis: each is there once, however often it is sent.

A stream entry has the fields `event` (JSON), `id` and `schema`. That it is there and
that it was sent are written by one script, so whoever lost the answer asks again.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import redis

from malexbot.config.targets import Redis
from malexbot.consumers.line import asking, connect_as_set
from malexbot.consumers.parcel import body, place
from malexbot.ports import Job

# Under any other one Redis makes room by forgetting what nobody has read.
SAFE_POLICY = "noeviction"
# So many of what ended are known here.
MOST_ENDED = 100_000

# The first key is the stream, each other one that of an event, whose three values stand
# in the same order. What is written stays written when a script fails half-way: an
# entry whose key cannot be kept is taken away again, or the next try would double it;
# and what went before is told.
_APPEND = """
local made = {}
for i = 2, #KEYS do
  local failed, entry, is_repeat
  local known = redis.pcall('GET', KEYS[i])
  if type(known) == 'table' then
    failed = known
  elseif known then
    entry, is_repeat = known, 1
  else
    local at = 3 * i - 4
    local fields = {'*', 'event', ARGV[at], 'id', ARGV[at + 1], 'schema', ARGV[at + 2]}
    entry = redis.pcall('XADD', KEYS[1], unpack(fields))
    is_repeat = 0
    if type(entry) == 'table' then
      failed = entry
    else
      local kept = redis.pcall('SET', KEYS[i], entry, 'EX', ARGV[1])
      if kept.err then
        redis.pcall('XDEL', KEYS[1], entry)
        failed = kept
      end
    end
  end
  if failed then
    if i == 2 then return failed end
    return made
  end
  made[i - 1] = {entry, is_repeat}
end
return made
"""
# Here the key comes first: what was told cannot be taken back.
_PUBLISH = """
local made = {}
for i = 2, #KEYS do
  local failed, heard, is_repeat = nil, 0, 0
  local kept = redis.pcall('SET', KEYS[i], 'told', 'NX', 'EX', ARGV[1])
  if type(kept) == 'table' and kept.err then
    failed = kept
  elseif not kept then
    is_repeat = 1
  else
    heard = redis.pcall('PUBLISH', KEYS[1], ARGV[i])
    if type(heard) == 'table' then
      redis.pcall('DEL', KEYS[i])
      failed = heard
    end
  end
  if failed then
    if i == 2 then return failed end
    return made
  end
  made[i - 1] = {heard, is_repeat}
end
return made
"""


class RedisBus:
    """The line to it; safe to use from many threads."""

    def __init__(self, settings: Redis) -> None:
        self.settings = settings
        self._client = connect_as_set(settings)
        is_stream = settings.mode == "streams"
        self._script = _Script(_APPEND if is_stream else _PUBLISH)
        self._values = self._entries if is_stream else self._messages
        # To connect, and to be answered.
        self.timeout_s = 2 * settings.time_out
        self.streams: set[str] = set()
        """Those that were written to."""
        self._ended: deque[tuple[float, str]] = deque(maxlen=MOST_ENDED)

    def close(self) -> None:
        self._client.close()

    def look(self) -> str:
        with asking():
            # All that an event needs, for none.
            self._script(self._client, [], [])
            try:
                policy = self._set_to("maxmemory-policy", SAFE_POLICY)
                has_log = self._set_to("appendonly", "yes") == "yes"
            except redis.ResponseError:
                # It is there, and not everybody may ask that.
                return ""
        if policy != SAFE_POLICY:
            return (
                f"its maxmemory-policy is {policy}: a full one throws whole streams"
                f" away, read or not; `redis-cli config set maxmemory-policy"
                f" {SAFE_POLICY}`"
            )
        if not has_log and self.settings.mode == "streams":
            return (
                "its appendonly is no: when it dies it forgets what it took since its"
                " last snapshot, read or not; `redis-cli config set appendonly yes`"
            )
        return ""

    def _set_to(self, name: str, unless_told: str) -> str:
        told: Any = self._client.config_get(name)
        value: str = told.get(name, unless_told)
        return value

    def send(self, jobs: Sequence[Job]) -> list[str]:
        """All to the stream of the first one."""
        name = self.settings.prefix + place(jobs[0])
        keys = [name, *(self._sent(job) for job in jobs)]
        values = [int(self.settings.remember), *self._values(jobs)]
        with asking():
            made = self._script(self._client, keys, values)
        self.streams.add(name)
        return [self._note(entry, bool(is_repeat)) for entry, is_repeat in made]

    def note_ended(self, job: Job) -> None:
        """It will not be sent again, unless the database forgets that by a crash."""
        self._ended.append((time.monotonic(), self._sent(job)))

    def forgettable(self, older_than_s: float) -> list[str]:
        """The keys of what ended so long ago: Redis need not know that any more."""
        until, found = time.monotonic() - older_than_s, []
        while self._ended and self._ended[0][0] <= until:
            found.append(self._ended.popleft()[1])
        return found

    def _sent(self, job: Job) -> str:
        """The key that tells that it was sent; the braces keep it with its stream."""
        return f"{{{self.settings.prefix}{place(job)}}}:sent:{job.key}"

    def _note(self, made: Any, is_repeat: bool) -> str:
        if self.settings.mode == "pubsub":
            return "told before" if is_repeat else f"heard by {made}"
        return f"entry {made.decode()}" + (", there before" if is_repeat else "")

    def _entries(self, jobs: Sequence[Job]) -> Iterator[str | bytes | int]:
        for payload in (job.payload for job in jobs):
            yield from (body(payload), payload["id"], payload["schema"])

    def _messages(self, jobs: Sequence[Job]) -> Iterator[bytes]:
        return (body(job.payload) for job in jobs)


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
