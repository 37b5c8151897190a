"""The rows of an export, in their order, whatever becomes of the database."""

from __future__ import annotations

import pytest

from malexbot.cli.export.part import Plan
from malexbot.cli.export.rows import Rows
from malexbot.errors import Transient
from malexbot.storage.database import Database
from malexbot.storage.export import FOR_EVER, snapshot
from tests.cli.export.conftest import POSTS
from tests.support.postgres import Server


@pytest.fixture
def plan(archive: Database) -> Plan:
    with snapshot(archive) as read:
        shares = read.shares()
    words = {"channel_id": None}
    return Plan(words, began_ms=0, since=0, until=FOR_EVER, shares=tuple(shares))


@pytest.mark.parametrize("is_by_thread", [True, False])
def test_a_database_that_is_restarted_is_waited_for(
    is_by_thread: bool, plan: Plan, archive: Database, postgres: Server
) -> None:
    waits: list[Transient] = []
    rows = Rows(archive, plan, is_by_thread=is_by_thread, waits=waits.append)
    found = []
    for count, kept in enumerate(rows.after(None)):
        found.append(kept)
        if count in (0, 700):
            postgres.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                f" WHERE datname::text = $${archive.dsn.dbname}$$"
            )
    undisturbed = Rows(archive, plan, is_by_thread=is_by_thread, waits=waits.append)
    assert found == list(undisturbed.after(None))
    assert len({kept.place.id for kept in found}) == POSTS
    assert len(waits) == 2


def test_one_that_stays_away_is_told(plan: Plan, archive: Database) -> None:
    waits: list[Transient] = []
    rows = Rows(archive, plan, is_by_thread=False, waits=waits.append, patience_s=-1.0)
    archive.close()
    with pytest.raises(Transient, match="closed"):
        next(rows.after(None))
    assert waits == []


@pytest.mark.parametrize("is_by_thread", [True, False])
def test_it_goes_on_after_any_row(
    is_by_thread: bool, plan: Plan, archive: Database
) -> None:
    rows = Rows(archive, plan, is_by_thread=is_by_thread, waits=print)
    whole = [kept.place for kept in rows.after(None)]
    assert len(whole) == POSTS
    for at in (0, 499, 500, 801, POSTS - 1):
        assert [kept.place for kept in rows.after(whole[at])] == whole[at + 1 :]
