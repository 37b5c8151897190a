"""Whatever breaks, and whenever: no post is ever skipped.

Random schedules of people, connections, crashes and commits, with the walks, the
rooms and the sweep as they are; only the server, the socket and the database are
models. The same schedules must find each way in which the promise can be broken.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from malexbot.messengers.mattermost.borders import Place, Room
from malexbot.messengers.mattermost.walks import SOURCE, Aim, CatchUp, Step
from malexbot.ports import Looked, Mark

from .bot import Habits
from .world import ACTS, STORIES, Act, Keeps, Lost, World, everything, few


@st.composite
def schedules(draw: st.DrawFn) -> list[Act]:
    """Of few kinds of acts each, so that rare ones meet."""
    all_kinds = st.sampled_from((*ACTS, *STORIES))
    kinds = st.lists(all_kinds, min_size=5, max_size=11, unique=True)
    names = sorted({*draw(kinds), "connect", "read", "rest"})
    act = st.tuples(st.sampled_from(names), st.integers(0, 7))
    return draw(st.lists(act, min_size=15, max_size=50))


def play(
    habits: Habits,
    *,
    strict: bool = True,
    keeps: Keeps = everything,
    examples: int = 500,
) -> None:
    """Raises `Lost` if one of so many schedules loses a post."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(acts=schedules())
    def each_schedule(acts: list[Act]) -> None:
        World(acts, habits, strict=strict, keeps=keeps).run()

    each_schedule()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of channels are lost and found again: that need not be told."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_no_schedule_loses_a_post() -> None:
    play(Habits())


def test_no_schedule_loses_one_of_the_few_that_are_kept() -> None:
    """Where little is archived, reading the edits finds little of what was lost."""
    play(Habits(), keeps=few)


# What the schedules must find: each of these breaks one line of the promise.


class FilledWithTheFirstPage(CatchUp):
    def passed(self, aim: Aim, reached: Place) -> Sequence[Mark]:
        return self.arrived(aim, reached)


class BeyondTheHead(CatchUp):
    def bounded(self, aim: Aim, reached: Place) -> Place:
        return reached


class CountersOfABusyChannel(CatchUp):
    def counters(self, room: Room, now: int) -> Sequence[Mark]:
        return [Looked(SOURCE, room.id, room.news.messages, room.news.last_post_at)]


class CountersBeforeThePosts(CatchUp):
    def walk(self, room: Room, number: int) -> Iterator[Step]:
        yield Step((), self.counters(room, self._now_ms()))
        yield from super().walk(room, number)


SOUGHT: dict[str, tuple[Habits, bool]] = {
    "the mark moves whatever the channel is filled for": (Habits(), False),
    "filled with the first page": (Habits(catch_up=FilledWithTheFirstPage), True),
}


@pytest.mark.parametrize("name", SOUGHT)
def test_the_schedules_find_a_broken_promise(name: str) -> None:
    habits, strict = SOUGHT[name]
    with pytest.raises(Lost):
        play(habits, strict=strict, examples=10_000)


# These are rarer: a schedule that once found each of them, made short.
FOUND: dict[str, tuple[Habits, str]] = {
    # One in eight hundred finds it.
    "no overlap": (Habits(overlap_ms=0), "begin0 later1 filled4 cut0 die0"),
    "the mark moves beyond the head": (
        Habits(catch_up=BeyondTheHead),
        "away6 say0 begin0 later2 read0 away0 read0 write_all0 pause0 connect0 "
        "begin0 pause0 away6",
    ),
    "a removal makes no new number": (
        Habits(numbers_removals=False),
        "connect0 read0 live0 read0 live0 hear_all0 remove0 say0 later5 add0 live0",
    ),
    # What these two lose, `since` finds again, unless nothing is archived there.
    "counters of a busy channel are written": (
        Habits(catch_up=CountersOfABusyChannel),
        "connect0 read0 rest0 write_all0 say0 hear_all0 write_all0 delete0 hear_all0 "
        "write_all0 later7 read0 rest0 write_all0 "
        "begin4 soon0 live0 delete0 hear_all0 write_all0 read0 rest0 write_all0 "
        "cut0 save0 connect0 read0 rest0 write_all0",
    ),
    "counters are written before the posts": (
        Habits(catch_up=CountersBeforeThePosts),
        "connect0 read0 rest0 write_all0 say0 hear_all0 write_all0 delete0 hear_all0 "
        "write_all0 later7 read0 rest0 write_all0 "
        "cut0 later7 say0 say0 later7 connect0 read0 pause0 pause0 pause0 write_all0 "
        "crash0 connect0 read0 rest0 write_all0",
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_a_schedule_shows_what_breaks_the_promise(name: str) -> None:
    habits, words = FOUND[name]
    acts = [(word[:-1], int(word[-1])) for word in words.split()]
    World(acts, Habits(), strict=True).run()
    with pytest.raises(Lost):
        World(acts, habits, strict=True).run()
