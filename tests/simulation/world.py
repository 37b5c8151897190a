"""The world around the bot: what can happen, and what must hold whatever does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from malexbot.errors import Transient

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


Keeps = Callable[[str], bool]


def everything(text: str) -> bool:
    return True


def few(text: str) -> bool:
    return text.endswith(("6", "7"))


class Lost(AssertionError):
    """A post that nobody will fetch."""


class Crash(Exception):
    """Our process dies here."""


class World:
    """One schedule: acts happen between the passes, and in the midst of them."""

    def __init__(
        self,
        acts: Sequence[Act],
        habits: Habits,
        *,
        strict: bool = True,
        keeps: Keeps = everything,
    ) -> None:
        self.server = Server(per_page=2, since_limit=6)
        for id in CHANNELS:
            self.server.channel(id)
        self.store = Store(is_strict=strict, on_commit=self._check_marks, keeps=keeps)
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
        self.server.begin(CHANNELS[chance % 2], f"late {chance}", type=type)

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
                if kept is None and not self.store.keeps(post.message):
                    continue
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
            channel = self.server.channels[id]
            for post in (*channel.living(), *late):
                if post.create_at >= floor or post.id in self.store.posts:
                    continue
                if all(map(self.store.keeps, channel.texts(post))):
                    raise Lost(f"the mark of {id} went past {post.id}")
