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

from malexbot.errors import Transient
from malexbot.messengers.mattermost.borders import Place, Room
from malexbot.messengers.mattermost.walks import SOURCE, Aim, CatchUp, Step
from malexbot.ports import Looked, Mark

from .bot import Habits, Process
from .server import JOINED, Server
from .store import Store

OVERLAP_MS = 60_000
CHANNELS = ("one", "two")
# What can happen.
ACTS = (
    "say begin save edit delete erase soon later live away hear hear_all write "
    "write_all ping cut crash die connect read rest pause remove add"
).split()

# What often leads to trouble: a filled channel, a death in the midst of a walk.
STORIES = {
    "filled": "live connect read rest write_all later".split(),
    "caught": ["away", "connect", "read", *["pause"] * 6, "die"],
    "caught later": ["away", "connect", "read", *["pause"] * 9, "die"],
}

Act = tuple[str, int]


class Lost(AssertionError):
    """A post that nobody will fetch."""


class Crash(Exception):
    """Our process dies here."""


class World:
    """One schedule: acts happen between the passes, and in the midst of them."""

    def __init__(self, acts: Sequence[Act], habits: Habits, *, strict: bool) -> None:
        self.server = Server(per_page=2, since_limit=6)
        for id in CHANNELS:
            self.server.channel(id)
        self.store = Store(is_strict=strict, on_commit=self._check_marks)
        self.habits = habits
        told = [(act, n) for name, n in acts for act in STORIES.get(name, [name])]
        self.acts = told[::-1]
        self.is_reading = False
        self.process = self._start()

    def run(self) -> None:
        while self.acts:
            self._act()
        self._calm_down()
        self._check_archive()

    # What happens.

    def _start(self) -> Process:
        process = Process(self.server, self.store, habits=self.habits)
        process.on_deliver = self._interrupt
        self.server.on_call = lambda call: self._interrupt()
        return process

    def _act(self) -> None:
        name, chance = self.acts.pop()
        if name == "read":
            self._read()
        else:
            getattr(self, f"_{name}")(chance)

    def _interrupt(self) -> None:
        """The world goes on while a walk waits for an answer, or for room.

        With each call one act happens, until the next one is to rest or to read.
        """
        if not self.is_reading or not self.acts or self.acts[-1][0] in ("rest", "read"):
            return
        name = self.acts[-1][0]
        self._act()
        if name in ("crash", "die"):
            raise Crash

    def _read(self) -> None:
        self.is_reading = True
        try:
            self.process.read()
        except Crash:
            pass
        except Transient:
            pass
        finally:
            self.is_reading = False

    def _rest(self, chance: int) -> None:
        """Nothing happens, and a pass is left alone until its end."""

    def _pause(self, chance: int) -> None:
        """Nothing happens for one call."""

    def _say(self, chance: int) -> None:
        self.server.say(CHANNELS[chance % 2], f"text {chance}")

    def _live(self, chance: int) -> None:
        """Said, heard and written without a hitch."""
        for _ in range(chance % 4 + 1):
            self._say(chance)
        self._hear_all(0)
        self._write_all(0)

    def _away(self, chance: int) -> None:
        """A while in which nobody listens, with something to miss."""
        self.process.cut()
        for _ in range(chance % 3 + 3):
            self._say(chance)
            self._later(chance // 2)

    def _begin(self, chance: int) -> None:
        type = JOINED if chance > 3 else ""
        self.server.begin(CHANNELS[chance % 2], "late", type=type)

    def _save(self, chance: int) -> None:
        if self.server.pending:
            self.server.pending.rotate(-chance)
            self.server.save()

    def _edit(self, chance: int) -> None:
        if id := self._any_post(chance):
            self.server.edit(id, f"edited {chance}")

    def _delete(self, chance: int) -> None:
        if id := self._any_post(chance):
            self.server.delete(id)

    def _erase(self, chance: int) -> None:
        if id := self._any_post(chance):
            self.server.erase(id)

    def _any_post(self, chance: int) -> str:
        posts = self.server.channels[CHANNELS[chance % 2]].living()
        return posts[-1 - chance % len(posts)].id if posts else ""

    def _soon(self, chance: int) -> None:
        self.server.advance(chance % 7 + 1)

    def _later(self, chance: int) -> None:
        self.server.advance(15_000 * chance)

    def _hear(self, chance: int) -> None:
        self.process.hear(chance)

    def _hear_all(self, chance: int) -> None:
        self.process.hear(1000)

    def _write(self, chance: int) -> None:
        self.process.write(chance)

    def _write_all(self, chance: int) -> None:
        self.process.write(1000)

    def _ping(self, chance: int) -> None:
        self.server.ping()

    def _cut(self, chance: int) -> None:
        self.process.cut()

    def _crash(self, chance: int) -> None:
        """What was heard and queued, but not committed, is gone."""
        self.process.cut()
        self.process = self._start()

    def _die(self, chance: int) -> None:
        """The last thing it did was to write a live post."""
        self._live(chance)
        self._crash(chance)

    def _connect(self, chance: int) -> None:
        self.process.connect()

    def _remove(self, chance: int) -> None:
        self.server.remove_bot(CHANNELS[chance % 2])

    def _add(self, chance: int) -> None:
        self.server.channels[CHANNELS[chance % 2]].has_bot = True

    # What must hold.

    def _calm_down(self) -> None:
        """Everything is saved and told, and the backfill is left to finish."""
        for id in CHANNELS:
            self.server.channels[id].has_bot = True
        while self.server.pending:
            self.server.save()
        self.process.flush()
        if self.server.socket is None or self.process.hearing.take_wish():
            self.process.connect()
        for _ in range(12):
            is_read = self._read_calmly()
            self.process.flush()
            if self.process.hearing.take_wish():
                self.process.connect()
            elif is_read:
                return
        raise Lost("the backfill never ends")

    def _read_calmly(self) -> bool:
        try:
            return self.process.read()
        except Transient:
            return False

    def _check_archive(self) -> None:
        for id, channel in self.server.channels.items():
            archived = self.store.living(id)
            for post in channel.living():
                kept = archived.get(post.id)
                if kept is None:
                    raise Lost(f"{post.id} was never archived")
                if kept.message != post.message:
                    raise Lost(f"{post.id} still says {kept.message!r}")
            gone = {post.id for post in channel.posts.values() if post.delete_at}
            if gone & archived.keys():
                raise Lost("a deletion was never seen")

    def _check_marks(self) -> None:
        """Nothing that is older than a mark by more than the overlap is missing."""
        for id, mark in self.store.marks.items():
            if not mark.is_history_done:
                continue
            floor = mark.mark_at - OVERLAP_MS
            late = [post for post in self.server.pending if post.channel_id == id]
            for post in (*self.server.channels[id].living(), *late):
                if post.create_at < floor and post.id not in self.store.posts:
                    raise Lost(f"the mark of {id} went past {post.id}")


@st.composite
def schedules(draw: st.DrawFn) -> list[Act]:
    """Of few kinds of acts each, so that rare ones meet."""
    all_kinds = st.sampled_from((*ACTS, *STORIES))
    kinds = st.lists(all_kinds, min_size=5, max_size=11, unique=True)
    names = sorted({*draw(kinds), "connect", "read", "rest"})
    act = st.tuples(st.sampled_from(names), st.integers(0, 7))
    return draw(st.lists(act, min_size=15, max_size=50))


def play(habits: Habits, *, strict: bool = True, examples: int = 500) -> None:
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
        World(acts, habits, strict=strict).run()

    each_schedule()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of channels are lost and found again: that need not be told."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_no_schedule_loses_a_post() -> None:
    play(Habits())


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
    "no overlap": (Habits(overlap_ms=0), True),
    "filled with the first page": (Habits(catch_up=FilledWithTheFirstPage), True),
}


@pytest.mark.parametrize("name", SOUGHT)
def test_the_schedules_find_a_broken_promise(name: str) -> None:
    habits, strict = SOUGHT[name]
    with pytest.raises(Lost):
        play(habits, strict=strict, examples=10_000)


# These are rarer: a schedule that once found each of them, made short.
FOUND: dict[str, tuple[Habits, str]] = {
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
