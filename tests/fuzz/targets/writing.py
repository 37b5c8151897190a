"""From an event to the bytes of COPY, with a PostgreSQL that only reads them."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from malexbot.config.events import VK_EVENTS
from malexbot.config.responses import ResponseRule
from malexbot.events import Event
from malexbot.pipeline.audience import Audience
from malexbot.pipeline.decider import Decider
from malexbot.pipeline.neighbour import Neighbour
from malexbot.ports import Entry
from malexbot.processors.log import Log
from malexbot.processors.response import Response
from malexbot.processors.save import Save
from malexbot.rules import Condition
from malexbot.storage.offers import Offers, Seats
from malexbot.storage.posts import Posts
from malexbot.storage.statement import Statement
from malexbot.storage.wire import from_json, to_json

NOW_MS = 1_800_000_000_000
_COPY = re.compile(r"COPY (\w+) \(([^)]*)\) FROM STDIN")
_SEATS = Seats(most=8, lease_s=60.0, epoch=1)
_NUMBERS = {"place", "create_at", "update_at", "edit_at", "delete_at"}
_NULL = "\\N"
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MEANT = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


class Everybody(frozenset[Any]):
    """Every channel there is, also one whose id is odd."""

    def __contains__(self, channel: object) -> bool:
        return True


class Reader:
    """A cursor that reads COPY as PostgreSQL does, and keeps nothing."""

    rowcount = 0

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, str | None]]] = {}
        self._found: list[Any] = []

    def execute(self, statement: str, given: object = None) -> None:
        """What is merged is for the tests that have a database."""
        self._found = []

    def run(self, statement: Statement, given: object = None) -> None:
        """Every job is begun that is made; of posts, nothing was there before."""
        begun = self.rows.get("offers", []) if "begin" in statement.name else []
        self._found = [
            (place, "key", row["name"], row["lane"], row["event_id"])
            for place, row in enumerate(begun)
        ]

    def fetchall(self) -> list[Any]:
        return self._found

    def copy_expert(self, statement: str, stream: BytesIO, size: int) -> None:
        found = _COPY.fullmatch(statement)
        assert found, statement
        names = found[2].split(", ")
        text = stream.getvalue().decode()
        assert "\0" not in text and "\r" not in text
        for line in text.split("\n"):
            fields = line.split("\t")
            assert len(fields) == len(names), f"{len(fields)} fields: {line!r}"
            row = dict(zip(names, map(_field, fields), strict=True))
            self.rows.setdefault(found[1], []).append(row)


def _field(told: str) -> str | None:
    return None if told == _NULL else _ESCAPE.sub(lambda sign: _MEANT[sign[1]], told)


def decider(neighbour: str = "") -> Decider:
    """One that keeps, answers and looks at everything, at a neighbour's as well."""
    rule = ResponseRule.model_validate(
        {"when": "'?' in event.message.text", "reply": "{{ event.message.text }}"}
    )
    save = Save(contains=["e"], when=Condition("event.user.nick != 'ci'"))
    processors = [save, Response([rule]), Log()]
    mattermost = ("posted", "post_edited", "post_deleted", "reaction_added", "hello")
    names = sorted(VK_EVENTS) if neighbour else mattermost
    audience = Audience()
    audience.hear(Everybody())
    audience.know_self("malexbot")
    return Decider(
        processors=dict.fromkeys(names, processors),
        audience=audience,
        server_now_ms=lambda: NOW_MS,
        neighbours=(
            {neighbour: Neighbour(audience, lambda: NOW_MS)} if neighbour else {}
        ),
    )


def write(event: Event, entry: Entry | None, *, is_archived: bool = True) -> None:
    """Write it as the journal would, and read again what was written."""
    entry = entry or Entry(event, False, is_archived=is_archived)
    assert entry.is_archived == is_archived
    # As somebody else's settings may have it.
    for each in (entry, entry._replace(keeps=True, processors=("response", "log"))):
        cursor: Any = Reader()
        posts, offers = Posts(), Offers()
        posts.add(each)
        offers.add(each)
        posts.merge(cursor)
        begun = offers.merge(cursor, _SEATS)
        _check(cursor, each)
        assert [job.name for job in begun] == list(each.processors)
        assert all(job.event == _as_read(event) for job in begun)
    assert from_json(to_json(event)) == _as_read(event)


def _check(cursor: Reader, entry: Entry) -> None:
    for row in (row for rows in cursor.rows.values() for row in rows):
        for name in _NUMBERS & row.keys():
            assert 0 <= int(row[name] or 0) < 2**63, row
    contents = [r for r in cursor.rows.get("incoming", ()) if r["message"] is not None]
    post = entry.event.post
    for row in contents:
        assert post and (row["message"], row["raw"]) == (post.message, post.raw)
    for row in cursor.rows.get("offers", ()):
        assert row["event_id"] == entry.event.event_id
        assert row["event"] == to_json(entry.event)


def _as_read(event: Event) -> Event:
    """JSON knows no bytes."""
    return event._replace(raw=b"")
