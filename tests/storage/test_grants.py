"""What may be pressed: made with what carries it, and used as often as it may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from malexbot.errors import Unstorable
from malexbot.events import User
from malexbot.ports import (
    GiveBack,
    Grant,
    Granted,
    Job,
    LeaseLost,
    PostKnown,
    Write,
)
from malexbot.storage.database import Database
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from tests.storage.conftest import Look, until
from tests.storage.interacting import (
    MemoryWorld,
    RealWorld,
    World,
    a_ref,
    begin,
    do,
    grant,
    said,
)
from tests.support.postgres import Server


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


def looked(world: World, ref: str) -> Granted:
    found = world.grants.look(ref)
    assert found is not None
    return found


# Made.


def test_it_is_there_with_the_job_that_sends_it(world: World) -> None:
    wanted = grant(
        users=("alice", "bob"),
        channel_id="c1",
        uses=3,
        options=("red", "green"),
        expires_s=1800.5,
    )
    do(world, said(wanted))
    found = looked(world, wanted.ref)
    assert found.grant._replace(expires_s=0) == wanted._replace(expires_s=0)
    assert found.grant.expires_s == pytest.approx(1800.5)
    assert found[1:] == ("", 3, False)
    assert world.sends() == 1


def test_nothing_is_granted_by_a_job_that_is_not_ours_any_more(world: World) -> None:
    job, wanted = begin(world), grant()
    world.jobs.finish(job, [])
    with pytest.raises(LeaseLost):
        world.jobs.finish(job, [said(wanted)])
    assert world.grants.look(wanted.ref) is None
    assert world.sends() == 0


def test_a_job_that_is_given_up_may_say_so_with_a_button(world: World) -> None:
    job, wanted = begin(world), grant()
    world.jobs.give_up(job, state="dead", reason="broken", effects=[said(wanted)])
    assert looked(world, wanted.ref).grant.action == wanted.action
    assert world.sends() == 1


@pytest.mark.parametrize(
    "values",
    [
        {"payload": {"a": "\ud83d"}},
        {"payload": {"a": {1}}},
        {"action": "a\0"},
        {"users": ("a\0",)},
        {"uses": 2**40},
        {"expires_s": math.inf},
        {"expires_s": math.nan},
        {"expires_s": 1e300},
        {"ref": "".join(map(chr, range(256, 9999)))},
    ],
)
def test_what_nobody_can_keep_is_told_and_then_nothing_was_done(
    real: RealWorld, look: Look, values: dict[str, object]
) -> None:
    job = begin(real)
    with pytest.raises(Unstorable):
        real.jobs.finish(job, [said(grant(), grant(**values))])
    assert look("SELECT * FROM grants") == []
    assert look("SELECT state FROM jobs") == [("leased",)]
    real.jobs.finish(job, [])


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text("aä\0\\\"u0'"),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text("k\0\\", max_size=2), inner, max_size=3),
    max_leaves=9,
)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(payload=st.dictionaries(st.text("key\0\\"), json, max_size=3))
def test_its_handler_is_given_back_what_it_was_made_with(
    real: RealWorld, payload: dict[str, object]
) -> None:
    wanted = grant(payload=payload)
    do(real, said(wanted))
    assert looked(real, wanted.ref).grant.payload == payload


@pytest.mark.parametrize("ref", ["", "0" * 32, "nobody's", "\0", "\ud83d", "ü", "' OR"])
def test_what_nobody_has_made_is_nothing(world: World, ref: str) -> None:
    do(world, said(grant()))
    assert world.grants.look(ref) is None
    assert not world.grants.take(ref, event_id="e1")


def test_the_post_that_carries_it_is_known_once_it_is_there(world: World) -> None:
    one, other = grant(), grant()
    do(world, said(one, other))
    do(world, writes=[PostKnown((one.ref, a_ref()), "post1")])
    assert looked(world, one.ref).post_id == "post1"
    assert looked(world, other.ref).post_id == ""


# Used.


def test_it_is_used_once_and_then_by_nobody_else(world: World) -> None:
    wanted = grant()
    do(world, said(wanted))
    assert world.grants.take(wanted.ref, event_id="e1")
    assert looked(world, wanted.ref).uses_left == 0
    assert not world.grants.take(wanted.ref, event_id="e2")
    assert world.grants.take(wanted.ref, event_id="e1")


def test_it_is_used_as_often_as_it_may_be(world: World) -> None:
    wanted = grant(uses=3)
    do(world, said(wanted))
    taken = [world.grants.take(wanted.ref, event_id=f"e{n}") for n in range(5)]
    assert taken == [True, True, True, False, False]
    assert looked(world, wanted.ref).uses_left == 0


def test_without_a_limit_it_is_used_for_ever(world: World) -> None:
    wanted = grant(uses=None)
    do(world, said(wanted))
    assert all(world.grants.take(wanted.ref, event_id=f"e{n}") for n in range(9))
    assert looked(world, wanted.ref).uses_left is None


def test_those_of_one_choice_share_their_uses(world: World) -> None:
    yes, no = grant(choice="c"), grant(choice="c")
    menu, other = grant(choice="c", uses=None), grant(choice="d")
    do(world, said(yes, no, menu, other))
    assert world.grants.take(menu.ref, event_id="e0")
    assert looked(world, yes.ref).uses_left == 1
    assert world.grants.take(yes.ref, event_id="e1")
    assert not world.grants.take(no.ref, event_id="e2")
    assert not world.grants.take(no.ref, event_id="e1")
    assert looked(world, no.ref).uses_left == 0
    assert world.grants.take(menu.ref, event_id="e3")
    assert world.grants.take(other.ref, event_id="e4")


def test_those_of_one_choice_may_differ_in_how_often(world: World) -> None:
    one, three = grant(choice="c", uses=1), grant(choice="c", uses=3)
    do(world, said(one, three))
    assert world.grants.take(three.ref, event_id="e1")
    assert not world.grants.take(one.ref, event_id="e2")
    assert world.grants.take(three.ref, event_id="e3")
    do(world, writes=[GiveBack(three.ref, "e1")])
    assert not world.grants.take(one.ref, event_id="e2")
    assert looked(world, three.ref).uses_left == 2


def test_too_late_nobody_can_use_it_but_who_has_it(world: World) -> None:
    once, ever = grant(expires_s=60, uses=2), grant(expires_s=60, uses=None)
    do(world, said(once, ever))
    for each in (once, ever):
        assert world.grants.take(each.ref, event_id="e1")
    world.pass_time(61)
    for each in (once, ever):
        assert looked(world, each.ref).is_expired
        assert not world.grants.take(each.ref, event_id="e2")
        assert world.grants.take(each.ref, event_id="e1")


def test_what_was_given_back_is_there_for_others(world: World) -> None:
    yes, no = grant(choice="c"), grant(choice="c")
    do(world, said(yes, no))
    assert world.grants.take(yes.ref, event_id="e1")
    do(world, writes=[GiveBack(yes.ref, "e1")])
    assert looked(world, no.ref).uses_left == 1
    assert world.grants.take(no.ref, event_id="e2")
    assert not world.grants.take(yes.ref, event_id="e1")


def test_what_was_not_taken_is_not_given_back(world: World) -> None:
    wanted, ever = grant(uses=2), grant(uses=None)
    do(world, said(wanted, ever))
    assert world.grants.take(wanted.ref, event_id="e1")
    assert world.grants.take(ever.ref, event_id="e1")
    back: list[Write] = [GiveBack(wanted.ref, "e1"), GiveBack(wanted.ref, "e2")]
    back += [GiveBack(ever.ref, "e1"), GiveBack(a_ref(), "e1")]
    do(world, writes=back)
    do(world, writes=back)
    assert looked(world, wanted.ref).uses_left == 2
    assert looked(world, ever.ref).uses_left is None


# At once.


def waiting(look: Look, count: int) -> Callable[[], bool]:
    query = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return lambda: look.one(query) >= count


def pressed_at_once(
    real: RealWorld, database: Database, look: Look, presses: list[tuple[Grant, str]]
) -> list[bool]:
    """All of them wait before any of them is through."""
    refs = [each.ref for each, _ in presses]
    with ThreadPoolExecutor(len(presses)) as pool:
        with database.transaction() as cursor:
            cursor.execute("SELECT FROM grants WHERE ref = ANY(%s) FOR UPDATE", (refs,))
            takes = [
                pool.submit(real.grants.take, each.ref, event_id=event_id)
                for each, event_id in presses
            ]
            until(waiting(look, len(presses)))
        return [take.result() for take in takes]


def test_of_two_who_press_at_once_one_does_it(
    real: RealWorld, database: Database, look: Look
) -> None:
    yes, no = grant(choice="c"), grant(choice="c")
    do(real, said(yes, no))
    presses = [(each, f"e{n}") for n, each in enumerate((yes, no, yes, no))]
    taken = pressed_at_once(real, database, look, presses)
    assert taken.count(True) == 1
    assert look("SELECT count(*) FROM grant_uses") == [(1,)]
    assert look("SELECT DISTINCT used FROM grants") == [(1,)]


def test_of_many_who_press_at_once_as_many_do_it_as_may(
    real: RealWorld, database: Database, look: Look
) -> None:
    wanted = grant(uses=2)
    do(real, said(wanted))
    presses = [(wanted, f"e{n}") for n in range(5)]
    assert pressed_at_once(real, database, look, presses).count(True) == 2


def test_one_that_is_done_twice_at_once_counts_once(
    real: RealWorld, database: Database, look: Look
) -> None:
    """A lease that ran out, and who has it now, both press."""
    wanted = grant(uses=2)
    do(real, said(wanted))
    taken = pressed_at_once(real, database, look, [(wanted, "e1")] * 3)
    assert taken == [True] * 3
    assert looked(real, wanted.ref).uses_left == 1


def test_who_gives_back_waits_for_who_takes_all_of_it_away(
    real: RealWorld, database: Database, look: Look
) -> None:
    """An erasure has the grant first and its uses then: nobody has them before."""
    wanted = grant()
    do(real, said(wanted))
    assert real.grants.take(wanted.ref, event_id="e1")
    job, back = begin(real), GiveBack(wanted.ref, "e1")
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as cursor:
            cursor.execute("SELECT FROM grants FOR UPDATE")
            end = pool.submit(real.jobs.finish, job, [], writes=[back])
            until(waiting(look, 1))
            cursor.execute("SELECT FROM grant_uses FOR UPDATE NOWAIT")
            cursor.execute("DELETE FROM grants")
        end.result()
    assert look("SELECT state FROM jobs WHERE id = %s", job.id) == [("done",)]


def test_pressing_beside_what_is_given_back_and_posted_stops_nobody(
    real: RealWorld, jobs: DatabaseJobs
) -> None:
    """In whatever order they come to the grants of one choice."""
    choice = [grant(choice="c", uses=1000) for _ in range(4)]
    do(real, said(*choice))
    ends = [begin(real) for _ in range(12)]
    refs = tuple(each.ref for each in reversed(choice))

    def press(number: int) -> bool:
        ref = choice[number % 4].ref
        if number % 5:
            return real.grants.take(ref, event_id=f"e{number}")
        job: Job = ends[number // 5]
        back = [GiveBack(each, f"e{number - 1}") for each in refs]
        jobs.finish(job, [], writes=[*back, PostKnown(refs, "post1")])
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(press, range(60)))
    uses_left = {looked(real, ref).uses_left for ref in refs}
    assert len(uses_left) == 1


# Whatever happens, in any order.

ACTS = st.one_of(
    st.tuples(st.just("take"), st.integers(0, 3), st.integers(0, 2)),
    st.tuples(st.just("take"), st.integers(0, 3), st.integers(0, 2)),
    st.tuples(st.just("back"), st.integers(0, 3), st.integers(0, 2)),
    st.tuples(st.just("known"), st.integers(0, 3), st.integers(0, 2)),
    st.tuples(st.just("wait"), st.sampled_from([10, 100]), st.just(0)),
)


def four(choice: str) -> Iterator[Grant]:
    yield grant(choice=choice)
    yield grant(choice=choice, uses=2, expires_s=90)
    yield grant(choice=choice, uses=None)
    yield grant(uses=2)


def play(
    world: World, grants: list[Grant], acts: list[tuple[str, int, int]]
) -> list[object]:
    """All that anybody could see of it."""
    do(world, said(*grants))
    seen: list[object] = []
    for act, number, event in acts:
        ref = grants[number % 4].ref
        event_id = f"{grants[0].ref}:{event}"
        if act == "take":
            seen.append(world.grants.take(ref, event_id=event_id))
        elif act == "back":
            do(world, writes=[GiveBack(ref, event_id)])
        elif act == "known":
            do(world, writes=[PostKnown((ref,), f"post{event}")])
        else:
            world.pass_time(number)
        seen += (looked(world, each.ref)[1:] for each in grants)
    return seen


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=st.lists(ACTS, max_size=12))
def test_the_real_ones_are_as_those_in_memory(
    real: RealWorld, acts: list[tuple[str, int, int]]
) -> None:
    grants = list(four(choice=a_ref()))
    assert play(real, grants, acts) == play(MemoryWorld(), grants, acts)


def test_whose_event_made_it_is_known(real: RealWorld, look: Look) -> None:
    job = begin(real, user=User("carol"))
    real.jobs.finish(job, [said(grant())])
    assert look("SELECT caused_by FROM grants") == [("carol",)]
