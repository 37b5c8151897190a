"""Every number of a daemon, read off real parts."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from malexbot import __version__
from malexbot.pipeline.counters import Counters
from malexbot.pipeline.desk import Desk
from malexbot.pipeline.intake import Intake
from malexbot.ports import CaughtUp, ChannelNews, Entry, Looked, Parcel, Reject
from malexbot.readings import (
    register,
    register_connections,
    register_desk,
    register_web,
)
from malexbot.runtime.health import Health
from malexbot.runtime.metrics import Metrics
from malexbot.storage.bookmarks import DatabaseBookmarks
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from tests.runtime.test_metrics import parsed
from tests.support.events import commanded, posted
from tests.support.fakes import Idle, MemoryJournal
from tests.support.threads import eventually
from tests.web.caller import Caller, request
from tests.web.test_server import serving

LANES: Any = SimpleNamespace(busy=3, overruns=4)


class Filled:
    """An archive in which each number is another one."""

    def __init__(self, database: Database, leadership: Leadership) -> None:
        self.journal = DatabaseJournal(leadership)
        self.bookmarks = DatabaseBookmarks(database, epoch=lambda: leadership.epoch)

    def fill(self) -> None:
        self.bookmarks.note(
            "mattermost",
            [
                ChannelNews("c1", "t", "O", "town", "Town Square", 0, 0),
                ChannelNews("c2", "t", "P", "den", "", 0, 0, is_accessible=False),
            ],
        )
        where = ("mattermost", "c1")
        self.journal.write([Parcel(marks=[Looked(*where, 9, 5500)])])
        self.journal.write([Parcel(marks=[CaughtUp(*where, "p1", 3000, 1)])])
        self.journal.write([Parcel(rejects=[Reject("mattermost", b"?", "no frame")])])
        self.journal.write([Parcel([Entry(posted(channel_id="c2"), True, ["save"])])])
        self.bookmarks.open_gap("mattermost", "c1", "posts", "cut")
        self.bookmarks.open_gap("mattermost", "c2", "posts", "cut")
        self.bookmarks.open_gap("mattermost", "c2", "access", "no access")


@pytest.fixture
def leadership(migrated_database: Dsn) -> Iterator[Leadership]:
    taken = Leadership(migrated_database)
    assert taken.try_take()
    yield taken
    taken.close()


def intake_with(counters: Counters) -> Intake:
    decider: Any = None
    return Intake(
        journal=MemoryJournal(),
        decider=decider,
        workers=Idle(),
        health=Health(),
        counters=counters,
    )


def registered(
    database: Database, counters: Counters | None = None, health: Health | None = None
) -> Metrics:
    metrics = Metrics()
    register(
        metrics,
        health=health or Health(),
        intake=intake_with(counters or Counters()),
        lanes=LANES,
        database=database,
    )
    return metrics


def test_what_went_through_the_intake(database: Database) -> None:
    counters = Counters({"posted"})
    for name in ("posted", "posted", "strange", "odd", "odd"):
        counters.come(name)
    counters.kept, counters.jobs, counters.rejected = 11, 12, 13
    counters.batches, counters.failures, counters.dropped = 14, 15, 16
    counters.lag_ms = 1700
    found = parsed(registered(database, counters))
    assert {
        name: found[f"malexbot_{name}"][()]
        for name in (
            "events_total",
            "events_kept_total",
            "jobs_asked_total",
            "events_rejected_total",
            "intake_batches_total",
            "intake_failures_total",
            "events_refused_total",
            "intake_lag_seconds",
            "intake_waiting",
        )
    } == {
        "events_total": 5,
        "events_kept_total": 11,
        "jobs_asked_total": 12,
        "events_rejected_total": 13,
        "intake_batches_total": 14,
        "intake_failures_total": 15,
        "events_refused_total": 16,
        "intake_lag_seconds": 1.7,
        "intake_waiting": 0,
    }
    assert found["malexbot_events_unknown_total"] == {("strange",): 1, ("odd",): 2}


def test_what_waits_is_counted(database: Database) -> None:
    intake, metrics = intake_with(Counters()), Metrics()
    register(metrics, health=Health(), intake=intake, lanes=LANES, database=database)
    intake.offer(posted("p1"))
    intake.offer(posted("p2"))
    assert parsed(metrics)["malexbot_intake_waiting"] == {(): 2}


def test_version_parts_and_lanes(database: Database) -> None:
    health = Health()
    health.tell("intake", "writes", is_ready=True)
    health.tell("mattermost", "down", is_ready=False)
    found = parsed(registered(database, health=health))
    assert found["malexbot_build_info"] == {(__version__,): 1}
    assert found["malexbot_part_ready"] == {("intake",): 1, ("mattermost",): 0}
    assert found["malexbot_lanes_busy"] == {(): 3}
    assert found["malexbot_lanes_overruns_total"] == {(): 4}


def test_the_connection() -> None:
    listener: Any = SimpleNamespace(
        name="mattermost", is_connected=True, number=7, resumes=2
    )
    metrics, source = Metrics(), ("mattermost",)
    register_connections(metrics, [listener])
    found = parsed(metrics)
    assert found["malexbot_connection_up"] == {source: 1}
    assert found["malexbot_connection_number"] == {source: 7}
    assert found["malexbot_connection_resumes_total"] == {source: 2}
    listener.is_connected = False
    assert parsed(metrics)["malexbot_connection_up"] == {source: 0}


def test_what_became_of_what_people_asked() -> None:
    desk, metrics = (
        Desk(offer=lambda event: False, decide=lambda event: None, now_ms=lambda: 0),
        Metrics(),
    )
    register_desk(metrics, desk)
    desk.ask(commanded(), 0)
    found = parsed(metrics)
    assert found["malexbot_calls_total"] == {("unknown",): 1}
    assert found["malexbot_calls_waiting"] == {(): 0}


def test_what_the_web_server_answers_and_refuses() -> None:
    with serving() as (server, _), Caller(server.address) as kept:
        assert kept.ask(request(path="/nowhere")).status == 404
        for _ in range(2):
            with Caller(server.address) as caller:
                assert caller.ask(b"nonsense\r\n\r\n").status == 400
        metrics = Metrics()
        register_web(metrics, server)
        eventually(lambda: server.connections == 1)
        found = parsed(metrics)
    assert found["malexbot_http_answers_total"] == {("404",): 1, ("400",): 2}
    assert found["malexbot_http_refusals_total"] == {
        ("the first line is no request",): 2
    }
    assert found["malexbot_http_connections"] == {(): 1}
    assert found["malexbot_http_waiting"] == {(): 0}


def test_channels_gaps_jobs_and_rejects(
    database: Database, leadership: Leadership
) -> None:
    Filled(database, leadership).fill()
    found = parsed(registered(database))
    town, den = ("c1", "Town Square"), ("c2", "den")
    assert found["malexbot_channel_lag_seconds"] == {town: 2.5}
    assert found["malexbot_channel_accessible"] == {town: 1, den: 0}
    assert found["malexbot_channel_history_done"] == {town: 0, den: 0}
    assert found["malexbot_gaps_open"] == {("posts",): 2, ("access",): 1}
    assert found["malexbot_jobs"][("ready",)] == 1
    assert found["malexbot_jobs"][("dead",)] == 0
    assert found["malexbot_rejects"] == {(): 1}
    assert found.get("malexbot_reading_failed") is None


def test_scrapes_in_a_row_ask_the_database_once(
    database: Database, leadership: Leadership
) -> None:
    metrics = registered(database)
    assert parsed(metrics)["malexbot_rejects"] == {(): 0}
    Filled(database, leadership).fill()
    assert parsed(metrics)["malexbot_rejects"] == {(): 0}


def test_without_the_database_the_rest_is_there(unused_port: int) -> None:
    nowhere = Dsn(host="127.0.0.1", user="nobody", dbname="none", port=unused_port)
    with Database(nowhere) as away:
        found = parsed(registered(away))
    assert found["malexbot_events_total"] == {(): 0}
    assert set(found["malexbot_reading_failed"]) == {
        (name,)
        for name in (
            "channel_accessible",
            "channel_history_done",
            "channel_lag_seconds",
            "gaps_lost",
            "gaps_open",
            "jobs",
            "rejects",
            "search_lag_seconds",
            "search_waiting",
        )
    }
