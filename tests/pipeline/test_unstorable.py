"""Whatever a plugin says or raises: on a real PostgreSQL the lanes go on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import pytest

from malexbot.errors import Permanent
from malexbot.events import Event
from malexbot.pipeline.audience import Audience, Heard
from malexbot.pipeline.decider import Decider
from malexbot.pipeline.guard import LoopGuard
from malexbot.pipeline.lanes import Lanes
from malexbot.pipeline.runner import Runner
from malexbot.pipeline.runs import RUN, ProcessorRuns
from malexbot.ports import Bot, Entry, Occasion, Parcel, Processor, Terms
from malexbot.runtime.health import Health
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from tests.support.events import BOT, NOW, posted
from tests.support.threads import Running, eventually


class Speechless(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


def fail(error: BaseException) -> None:
    raise error


# What the handler does, and why its job is dead then.
DEEDS: Mapping[str, tuple[Callable[[Bot], None], str]] = {
    "surrogate": (lambda bot: bot.reply("\ud83d"), "surrogates not allowed"),
    "nul": (lambda bot: bot.reply("a\0b"), "there is a NUL in what it says"),
    "type": (lambda bot: bot.post({1}, "a"), "not JSON serializable"),  # type: ignore
    "channel": (lambda bot: bot.post("c\0", "a"), "NUL"),
    "age": (lambda bot: bot.reply("a", terms=Terms(1e300)), "out of range"),
    "raised": (lambda bot: fail(ValueError("\0 \ud83d")), r"ValueError: \0 \ud83d"),
    "told": (lambda bot: fail(Permanent("\0 \ud83d")), r"\0 \ud83d"),
    "exit": (lambda bot: fail(SystemExit("usage")), "SystemExit: usage"),
    "speechless": (lambda bot: fail(Speechless()), "which cannot tell why"),
}


class Doing(Processor):
    """Does what the message names."""

    name = "doing"

    def handle(self, event: Event, occasion: Occasion, bot: Bot) -> None:
        assert event.message
        if event.message.text in DEEDS:
            DEEDS[event.message.text][0](bot)


@pytest.fixture
def at_work(migrated_database: Dsn) -> Iterator[tuple[DatabaseJournal, Database]]:
    with ExitStack() as stack:
        leadership = Leadership(migrated_database)
        stack.callback(leadership.close)
        assert leadership.try_take()
        database = stack.enter_context(Database(migrated_database))
        jobs = DatabaseJobs(database, epoch=lambda: leadership.epoch)
        decider = Decider(
            processors={"posted": [Doing()]},
            audience=Audience(Heard(BOT, {"c1"})),
            server_now_ms=lambda: NOW,
        )
        runs = ProcessorRuns(decider=decider, chats={}, guard=LoopGuard(9))
        runner = Runner(jobs=jobs, handlers={RUN: runs})
        lanes = Lanes(jobs=jobs, runner=runner, health=Health())
        stack.enter_context(Running(lanes))
        yield DatabaseJournal(leadership), database


@pytest.mark.parametrize("deed", DEEDS)
def test_the_job_is_dead_and_the_next_of_its_lane_goes_on(
    at_work: tuple[DatabaseJournal, Database],
    deed: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("malexbot.pipeline.verdicts.MOST_FAULTS", 1)
    journal, database = at_work
    events = [posted("p1", deed), posted("p2", "nothing")]
    journal.write([Parcel([Entry(event, False, ["doing"]) for event in events])])

    def ends() -> list[tuple[str, str, int]]:
        with database.transaction() as cursor:
            cursor.execute("SELECT state, reason, attempts FROM jobs ORDER BY id")
            return cursor.fetchall()

    eventually(lambda: [state for state, _, _ in ends()] == ["dead", "done"])
    (_, reason, attempts), after = ends()
    assert DEEDS[deed][1] in reason
    assert attempts == 1
    assert after == ("done", "", 1)
    assert any(
        record.levelno == logging.ERROR and ": dead: " in record.getMessage()
        for record in caplog.records
    )
