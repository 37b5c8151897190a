"""Recorded frames, changed at random: each becomes an event or a reject."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from malexbot.messengers.mattermost.contents import Unreadable
from malexbot.messengers.mattermost.translate import Translator
from malexbot.pipeline.audience import Audience
from malexbot.pipeline.decider import Decider
from malexbot.pipeline.intake import Intake
from malexbot.processors.log import Log
from malexbot.processors.save import Save
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from tests.support.fakes import Idle

RECORDED = Path(__file__).parents[1] / "fixtures" / "mattermost" / "messenger"
FRAMES = [
    orjson.loads(line) for line in (RECORDED / "frames.jsonl").read_bytes().splitlines()
]
NAMES = {frame["event"] for frame in FRAMES}
NOW = 1_800_000_000_000
Json = dict[str, Any]

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([-1, 0, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 1.5, 1e300]),
    st.sampled_from(["", "\0", "\\N", "a\tb", "a\nb", "x" * 5_000, "\U0001f680" * 99]),
    st.text(max_size=20),
    st.lists(st.none() | st.text(max_size=5), max_size=3),
    st.dictionaries(
        st.text(max_size=5), st.none() | st.integers(-(2**63), 2**64 - 1), max_size=3
    ),
)


class Everybody(frozenset[Any]):
    """Every channel there is, also one whose id is odd."""

    def __contains__(self, channel: object) -> bool:
        return True


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """A recorded frame with odd values in it, or with a byte that is another one."""
    frame: Json = orjson.loads(orjson.dumps(draw(st.sampled_from(FRAMES))))
    parts = [frame, frame["data"], frame["broadcast"]]
    for name in ("post", "reaction"):
        if name in frame["data"]:
            inner = orjson.loads(frame["data"][name])
            _spoil(draw, inner)
            frame["data"][name] = orjson.dumps(inner).decode()
    if draw(st.booleans()):
        _spoil(draw, draw(st.sampled_from(parts)))
    told = bytearray(orjson.dumps(frame))
    if draw(st.integers(0, 3)) == 0:
        told[draw(st.integers(0, len(told) - 1))] = draw(st.integers(0, 255))
    return bytes(told)


def _spoil(draw: st.DrawFn, part: Json) -> None:
    for name in draw(st.lists(st.sampled_from([*part, "props", "type"]), max_size=2)):
        if draw(st.booleans()):
            part[name] = draw(ODD)
        else:
            part.pop(name, None)


@pytest.fixture
def database(migrated_database: Dsn) -> Iterator[Database]:
    with Database(migrated_database) as opened:
        yield opened


@pytest.fixture
def leadership(migrated_database: Dsn) -> Iterator[Leadership]:
    taken = Leadership(migrated_database)
    assert taken.try_take()
    yield taken
    taken.close()


def test_each_becomes_an_event_or_a_reject(
    database: Database, leadership: Leadership
) -> None:
    translator = Translator(lambda: NOW)
    audience = Audience()
    audience.hear(Everybody())
    audience.know_self("malexbot")
    decider = Decider(
        processors={name: [Save(), Log()] for name in NAMES},
        audience=audience,
        server_now_ms=lambda: NOW,
    )
    journal = DatabaseJournal(leadership)

    @settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(st.lists(frames(), min_size=1, max_size=30))
    def run(batch: list[bytes]) -> None:
        posts, rejects = set(), set()
        intake = Intake(
            journal=journal, decider=decider, workers=Idle(), health=Health()
        )
        for raw in batch:
            try:
                body = orjson.loads(raw)
                event = translator.event(body, raw=raw, connection=1)
            except (Unreadable, orjson.JSONDecodeError) as error:
                assert intake.reject("mattermost", raw, str(error))
                rejects.add(raw)
            else:
                assert intake.offer(event)
                post = event.post if event.name == "posted" else None
                if post and not post.delete_at and not post.original_id:
                    posts.add((post.id, raw))
        stop = Stop()
        stop.set(Deadline(30))
        intake.run(stop)
        kept, refused = _there(database)
        assert rejects <= refused
        for post_id, raw in posts:
            assert post_id in kept or raw in refused

    run()


def _there(database: Database) -> tuple[set[str], set[bytes]]:
    with database.transaction() as cursor:
        cursor.execute("SELECT id FROM posts")
        kept = {id_ for (id_,) in cursor.fetchall()}
        cursor.execute("SELECT raw FROM rejects")
        return kept, {bytes(raw) for (raw,) in cursor.fetchall()}
