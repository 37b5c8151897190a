"""What plugins keep: written by the end of a job, if what it has read still counts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from malexbot.errors import Unstorable
from malexbot.ports import Conflict, Kept, LeaseLost, Put, Seen, Write
from malexbot.storage.database import Database
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from tests.storage.conftest import Look, until
from tests.storage.interacting import (
    MemoryWorld,
    RealWorld,
    World,
    begin,
    do,
    grant,
    said,
)
from tests.support.postgres import Server

ROTA = "rota"


@pytest.fixture
def real(
    database: Database, journal: DatabaseJournal, jobs: DatabaseJobs, look: Look
) -> RealWorld:
    return RealWorld(database, journal, jobs, look)


@pytest.fixture(params=["real", "memory"])
def world(request: pytest.FixtureRequest, postgres: Server) -> World:
    if request.param == "memory":
        return MemoryWorld()
    made: RealWorld = request.getfixturevalue("real")
    return made


def put(key: str, value: Any, version: int | None = None) -> Put:
    return Put(ROTA, key, value, version)


def version(world: World, key: str) -> int:
    return world.store.read(ROTA, key).version


def conflicts(world: World, *writes: Write) -> bool:
    """Yes: nothing of it was written, nor sent, and the job is to be done anew."""
    job, wanted, sent = begin(world), grant(), world.sends()
    try:
        world.jobs.finish(job, [said(wanted)], writes=writes)
    except Conflict:
        assert world.grants.look(wanted.ref) is None
        assert world.sends() == sent
        world.jobs.finish(job, [])
        return True
    return False


def test_what_was_put_is_read(world: World) -> None:
    assert world.store.read(ROTA, "k") == Kept(None, 0)
    do(world, writes=[put("k", {"a": [1, None]}), put("l", 0)])
    assert world.store.read(ROTA, "k").value == {"a": [1, None]}
    assert world.store.read(ROTA, "l").value == 0
    assert world.store.read("other", "k") == Kept(None, 0)
    do(world, writes=[put("k", None)])
    assert world.store.read(ROTA, "k") == Kept(None, 0)


def test_each_put_makes_another_version(world: World) -> None:
    seen = {0}
    for value in (1, 1, None, 1):
        do(world, writes=[put("k", value)])
        now = version(world, "k")
        assert (now in seen) == (value is None)
        seen.add(now)


def test_all_that_begins_alike_is_found_in_order(world: World) -> None:
    keys = ["a", "a%", "a_1", "ab", "a\\", "b", "aé", "aZ", "A"]
    do(world, writes=[put(key, key) for key in keys])
    do(world, writes=[Put("other", "a", 1)])
    for prefix in ("", "a", "a%", "a_", "a\\", "nothing"):
        found = world.store.scan(ROTA, prefix)
        assert list(found) == sorted(key for key in keys if key.startswith(prefix))
        assert all(kept == world.store.read(ROTA, key) for key, kept in found.items())
        assert all(kept.value == key for key, kept in found.items())


def test_what_somebody_else_has_written_is_a_conflict(world: World) -> None:
    do(world, writes=[put("k", 1)])
    seen = version(world, "k")
    do(world, writes=[put("k", 2)])
    assert conflicts(world, put("other", 1), put("k", 3, seen))
    assert world.store.read(ROTA, "k").value == 2
    assert version(world, "other") == 0
    assert not conflicts(world, put("k", 3, version(world, "k")))
    assert world.store.read(ROTA, "k").value == 3


def test_what_was_not_there_must_not_have_come(world: World) -> None:
    assert not conflicts(world, put("k", 1, 0))
    assert conflicts(world, put("k", 2, 0))
    assert conflicts(world, put("k", None, 0))
    assert not conflicts(world, put("none", None, 0))
    assert not conflicts(world, put("k", 2))


def test_what_went_and_came_again_is_another(world: World) -> None:
    do(world, writes=[put("k", 1)])
    seen = version(world, "k")
    do(world, writes=[put("k", None)])
    assert conflicts(world, put("k", 2, seen))
    do(world, writes=[put("k", 1)])
    assert conflicts(world, put("k", 2, seen))
    assert conflicts(world, put("k", None, seen))


def test_what_was_only_read_has_to_count_still(world: World) -> None:
    do(world, writes=[put("k", 1)])
    seen = version(world, "k")
    assert not conflicts(world, Seen(ROTA, "k", seen), Seen(ROTA, "none", 0))
    assert version(world, "k") == seen
    do(world, writes=[put("k", 2)])
    assert conflicts(world, Seen(ROTA, "k", seen), put("other", 1))
    assert version(world, "other") == 0


def test_of_one_key_the_last_put_counts_and_the_first_version(world: World) -> None:
    assert not conflicts(world, put("k", 1, 0), put("k", 2, 99), put("k", 3))
    assert world.store.read(ROTA, "k").value == 3


def test_a_job_that_was_ended_is_no_conflict(world: World) -> None:
    """Whose end was not heard comes again with versions of before."""
    job = begin(world)
    world.jobs.finish(job, [], writes=[put("k", 1, 0)])
    with pytest.raises(LeaseLost):
        world.jobs.finish(job, [], writes=[put("k", 1, 0)])


def test_a_job_that_is_given_up_may_write_too(world: World) -> None:
    job = begin(world)
    world.jobs.give_up(job, state="dead", reason="broken", writes=[put("k", "dead")])
    assert world.store.read(ROTA, "k").value == "dead"


@pytest.mark.parametrize(
    "put",
    [
        Put(ROTA, "k", {1}),
        Put(ROTA, "k", {1: 2}),
        Put(ROTA, "k", "\ud83d"),
        Put(ROTA, "k", 2**70),
        Put(ROTA, "k\0", 1),
        Put(ROTA, "".join(map(chr, range(256, 9999))), 1),
        Put("ro\0ta", "k", 1),
        Seen(ROTA, "k\0", 1),
    ],
)
def test_what_nobody_can_keep_is_told_and_then_nothing_was_done(
    real: RealWorld, look: Look, put: Put
) -> None:
    job = begin(real)
    with pytest.raises(Unstorable):
        real.jobs.finish(job, [said()], writes=[Put(ROTA, "fine", 1), put])
    assert look("SELECT * FROM store") == []
    assert look("SELECT state FROM jobs") == [("leased",)]
    real.jobs.finish(job, [])


json = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("aä🐈\0\\\"u0'\n"),
    lambda inner: st.lists(inner | st.none(), max_size=3)
    | st.dictionaries(st.text("k\0\\", max_size=2), inner | st.none(), max_size=3),
    max_leaves=9,
)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(value=json)
def test_any_json_comes_back_as_it_was(real: RealWorld, value: Any) -> None:
    do(real, writes=[put("k", value)])
    assert real.store.read(ROTA, "k").value == value


# At once.


def at_once(
    real: RealWorld, database: Database, look: Look, *ends: list[Write]
) -> list[bool]:
    """All of them wait for the space; whether each came to its end."""
    begun = [(begin(real), writes) for writes in ends]

    def end(each: tuple[Any, list[Write]]) -> bool:
        try:
            real.jobs.finish(each[0], [], writes=each[1])
        except Conflict:
            return False
        return True

    waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with ThreadPoolExecutor(len(ends)) as pool:
        with database.transaction() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('store rota', 0))"
            )
            threads = [pool.submit(end, each) for each in begun]
            until(lambda: look.one(waits) == len(ends))
        return [thread.result() for thread in threads]


def test_of_two_who_have_read_the_same_one_writes(
    real: RealWorld, database: Database, look: Look
) -> None:
    do(real, writes=[put("k", 1)])
    seen = version(real, "k")
    ends: list[list[Write]] = [[put("k", n, seen)] for n in (2, 3)]
    assert at_once(real, database, look, *ends).count(True) == 1


def test_of_two_who_have_seen_nothing_one_writes(
    real: RealWorld, database: Database, look: Look
) -> None:
    ends: list[list[Write]] = [[put("k", n, 0)] for n in (2, 3)]
    assert at_once(real, database, look, *ends).count(True) == 1


def test_of_two_who_each_read_what_the_other_writes_one_is_done_anew(
    real: RealWorld, database: Database, look: Look
) -> None:
    """As if one had come after the other: on call is somebody, and only one."""
    one: list[Write] = [Seen(ROTA, "alice", 0), put("bob", True, 0)]
    other: list[Write] = [Seen(ROTA, "bob", 0), put("alice", True, 0)]
    assert at_once(real, database, look, one, other).count(True) == 1
    assert len(real.store.scan(ROTA, "")) == 1


def test_no_count_is_lost_among_many(real: RealWorld) -> None:
    runs = [begin(real) for _ in range(16)]

    def count(job: Any) -> None:
        while True:
            kept = real.store.read(ROTA, "count")
            puts = [put("count", (kept.value or 0) + 1, kept.version)]
            try:
                real.jobs.finish(job, [], writes=puts)
                return
            except Conflict:
                continue

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(count, runs))
    assert real.store.read(ROTA, "count").value == len(runs)


# Whatever happens, in any order.

KEYS = st.sampled_from("abc")
ACTS = st.one_of(
    st.tuples(st.just("read"), KEYS, st.none()),
    st.tuples(st.just("put"), KEYS, st.integers(0, 3) | st.none()),
    st.tuples(st.just("blind"), KEYS, st.integers(0, 3) | st.none()),
    st.tuples(st.just("seen"), KEYS, st.none()),
)


def play(world: World, space: str, acts: list[tuple[str, str, Any]]) -> list[Any]:
    """What a handler sees of it, which remembers what it read last."""
    known: dict[str, int] = {}
    seen: list[Any] = []
    for act, key, value in acts:
        write: Write = Seen(space, key, known.get(key, 0))
        if act == "read":
            kept = world.store.read(space, key)
            known[key] = kept.version
            seen.append(kept.value)
        elif act != "seen":
            version = known.get(key, 0) if act == "put" else None
            write = Put(space, key, value, version)
        if act != "read":
            seen.append(conflicts(world, write))
        scanned = world.store.scan(space, "")
        seen.append({key: kept.value for key, kept in scanned.items()})
    return seen


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=st.lists(ACTS, max_size=10))
def test_the_real_one_is_as_the_one_in_memory(
    real: RealWorld, acts: list[tuple[str, str, Any]]
) -> None:
    space = f"space-{grant().ref}"
    assert play(real, space, acts) == play(MemoryWorld(), space, acts)
