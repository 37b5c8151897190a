"""Holds what malexbot made of it against what was truly said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from malexbot.sandbox.ledger import Entry
from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.town import Town
from malexbot.storage.database import Database
from tests.crash.traffic import KEEP, LONG_LINES

ANSWER = re.compile(r"answer to (\w{26})(?:, line (\d+)$)?", re.MULTILINE)
_ROWS = """
SELECT id, message, delete_at, channel_id, user_id, root_id, create_at FROM posts
"""
_VERSIONS = "SELECT post_id, edit_at, message FROM post_versions"
_JOBS = """
SELECT j.state, j.reason, array_agg(s.state || ' ' || s.reason)
FROM jobs j LEFT JOIN jobs s ON s.parent = j.id WHERE j.event_id LIKE %s GROUP BY j.id
"""
_REJECTS = "SELECT reason, raw FROM rejects WHERE source <> 'vk'"
_FIRST = 5
_UNFILLED = """
SELECT channel_id FROM channels
WHERE filled_for < (
  SELECT max(number) FROM connections WHERE connections.source = channels.source
)
"""
# The event of a deletion does not tell its moment; a deletion that nobody told of
# is as old as the look that found it, at the most.
DELETED_WITHIN_MS = 2_000


class Judge:
    """Says what is lost, wrong, doubled or unanswered, each with its post."""

    def __init__(
        self, sandbox: Sandbox, town: Town, database: Database, *, wrong_by_ms: int = 0
    ) -> None:
        """`wrong_by_ms`: so far the server's clock was ahead of what it had told."""
        self._sandbox = sandbox
        self._deleted_within_ms = DELETED_WITHIN_MS + wrong_by_ms
        self._town = town
        self._database = database

    def complaints(self, questions: Mapping[str, str]) -> list[str]:
        """All that is not as it should be in the end; none: it is."""
        entries = {entry.id: entry for entry in self._sandbox.ledger.entries()}
        return [
            *self._of_archive(entries),
            *self._of_versions(entries),
            *self._of_answers(entries, questions),
            *self._of_places(entries, questions),
            *self.unfinished(),
        ]

    def unfinished(self) -> list[str]:
        """What malexbot itself knows to be missing; quick to find out."""
        jobs = self._ask("SELECT id, state FROM jobs WHERE finished_at IS NULL")
        unfilled = self._ask(_UNFILLED)
        gaps = self._ask("SELECT kind, channel_id FROM gaps WHERE closed_at IS NULL")
        return [
            *(f"job {job} is {state}" for job, state in jobs),
            *(f"nobody has read what {channel} missed" for channel, in unfilled),
            *(f"a gap of {kind} in {channel}" for kind, channel in gaps),
        ]

    def archived(self) -> int:
        """How many posts are archived so far."""
        return len(self._ask(_ROWS))

    def gaps(self) -> list[str]:
        """Why there were gaps, open ones and closed ones."""
        return [reason for reason, in self._ask("SELECT DISTINCT reason FROM gaps")]

    def doubles(self) -> list[str]:
        """What was answered twice; no waiting makes that good."""
        counts = self._answers().items()
        return [f"{each} {count} times" for each, count in counts if count > 1]

    def _of_archive(self, entries: Mapping[str, Entry]) -> Iterator[str]:
        found = self._ask(_ROWS)
        rows = {row[0]: row for row in found}
        if len(rows) < len(found):
            yield f"{len(found) - len(rows)} posts are archived twice"
        yield from (f"{id_} was never posted" for id_ in rows.keys() - entries.keys())
        for entry in entries.values():
            row = rows.get(entry.id)
            if wrong := _wrong(entry, row, self._deleted_within_ms):
                yield f"{wrong}: {entry.id} {entry.texts} {entry.delete_at}"

        for reason, raw in self._ask(_REJECTS):
            yield f"rejected: {reason}: {bytes(raw)!r}"

    def _of_versions(self, entries: Mapping[str, Entry]) -> Iterator[str]:
        found = self._ask(_VERSIONS)
        if len({row[:2] for row in found}) < len(found):
            yield "a version is archived twice"
        for post_id, edit_at, message in found:
            # The server shows old versions without their text.
            if message and message not in entries[post_id].texts:
                said = entries[post_id]
                yield f"never said {message!r}, as of {edit_at}: {said}"

    def _of_answers(
        self, entries: Mapping[str, Entry], questions: Mapping[str, str]
    ) -> Iterator[str]:
        answers = self._answers()
        yield from (f"answered twice: {double}" for double in self.doubles())
        for post_id, kind in dict(questions).items():
            # Nobody answers what is deleted; whether that came first is luck.
            if entries[post_id].delete_at:
                continue
            lines = range(LONG_LINES) if kind == "long" else [""]
            wanted = [(kind == "eyes", post_id, str(line)) for line in lines]
            if missing := [each for each in wanted if not answers[each]]:
                text = entries[post_id].text
                jobs = self._ask(_JOBS, f"{post_id}%")
                yield (
                    f"never answered: {post_id}, {text!r}, {len(missing)} parts;"
                    f" jobs: {jobs}"
                )

    def _of_places(
        self, entries: Mapping[str, Entry], questions: Mapping[str, str]
    ) -> Iterator[str]:
        """Each answer stands where it was asked, or in the thread below it."""
        for answer in self._sandbox.ledger.entries(user_id=self._town.bot):
            for post_id in {match[0] for match in ANSWER.findall(answer.text)}:
                asked, kind = entries[post_id], questions.get(post_id)
                root_id = asked.root_id or (asked.id if kind == "thread" else "")
                place = (answer.channel_id, answer.root_id)
                if kind and place != (asked.channel_id, root_id):
                    yield f"answered elsewhere, in {place}: {post_id}, {asked.text!r}"

    def _answers(self) -> Counter[tuple[bool, str, str]]:
        """By whether it is a reaction, the question, and the line of a long one."""
        said = self._sandbox.ledger.entries(user_id=self._town.bot)
        found = [match for entry in said for match in ANSWER.findall(entry.text)]
        reactions = self._sandbox.scene.reactions(self._town.bot)
        seen = [reaction["post_id"] for reaction in reactions]
        answers = Counter((False, post_id, line) for post_id, line in found)
        return answers + Counter((True, post_id, "") for post_id in seen)

    def _ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._database.transaction() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()


def _wrong(entry: Entry, row: Sequence[Any] | None, deleted_within_ms: int) -> str:
    """What the archive says of a post that it should not say.

    Of two edits the later one counts; if a clock was set back, that is not the last,
    and who missed the later one has the one before.
    """
    counts = entry.standing_texts
    if row is None:
        # Deleted, or edited away, before anybody could see it: that is nobody's fault.
        is_wanted = all(KEEP in text for text in counts) and not entry.delete_at
        return "lost" if is_wanted else ""
    if not any(KEEP in text for text in entry.texts):
        return "kept for nothing"
    is_too_old = row[2] < entry.delete_at - deleted_within_ms
    if bool(row[2]) != bool(entry.delete_at) or is_too_old:
        return f"wrong deletion {row[2]}"
    # Who was told of the deletion need not have heard of the edits before it.
    if row[1] not in (entry.texts if entry.delete_at else counts):
        return f"wrong text {row[1]!r}"
    told = (entry.channel_id, entry.user_id, entry.root_id, entry.create_at)
    if tuple(row[3:]) != told:
        return f"wrong origin {row[3:]}, not {told}"
    return ""


def shown(complaints: Sequence[str]) -> str:
    """The first ones, and how many there are."""
    more = [f"… {len(complaints) - _FIRST} more"] if len(complaints) > _FIRST else []
    return "\n".join([*complaints[:_FIRST], *more])
