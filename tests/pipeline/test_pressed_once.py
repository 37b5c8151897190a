"""Whatever fails, and whoever presses at once: a button does what it may, so often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from malexbot.errors import Transient
from malexbot.events import Event, User
from malexbot.pipeline import hold as holds
from malexbot.pipeline.audience import Audience
from malexbot.pipeline.decider import Decider
from malexbot.pipeline.effects import POST
from malexbot.pipeline.guard import LoopGuard
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.reply import ANSWER
from malexbot.pipeline.runner import Runner, Work
from malexbot.pipeline.runs import RUN, ProcessorRuns
from malexbot.pipeline.sends import ChatPosts
from malexbot.pipeline.sight import Sight
from malexbot.pipeline.verdicts import Done
from malexbot.ports import Bot, Button, Card, Grant, Occasion, Processor
from tests.pipeline.test_exactly_once import (
    LEASE_S,
    TIME_OUT_S,
    Crash,
    Troubles,
    troubles,
)
from tests.support.events import NOW, pressed
from tests.support.fakes import Clock, MemoryChat
from tests.support.grants import MemoryGrants
from tests.support.queue import MemoryJobs
from tests.support.store import MemoryStore

# Two buttons of one message share so many uses.
REFS = ("yes", "no")


class Counting(Processor):
    """Counts, says so with a button below it, and lets others in between."""

    name = "rota.approve"
    max_age_s = 1e9

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self._meanwhile = meanwhile

    def handle(self, event: Event, occasion: Occasion, bot: Bot) -> None:
        message = event.data["message"]
        count = bot.store.get(message, 0)
        self._meanwhile()
        bot.store.set(message, count + 1)
        more = Card(controls=[Button("approve", "More")])
        bot.post("c1", f"{message}: {count + 1}", cards=[more])
        self._meanwhile()


class Life:
    """The daemon from its first to its last crash; what is begun may interleave."""

    def __init__(self, plan: Sequence[str], order: Callable[[int], int]) -> None:
        self.clock = Clock()
        self.troubles = fail = Troubles(plan, self.clock)
        self.store, self.grants = MemoryStore(fail), MemoryGrants(self.clock, fail)
        self.jobs = MemoryJobs(self.clock, fail, grants=self.grants, store=self.store)
        self.chat = MemoryChat(self.clock, fail, timeout_s=TIME_OUT_S)
        self._order = order
        self._left: list[Work] = []
        chats = {"mattermost": self.chat}
        decider = Decider(
            processors={"button": [Counting(self.meanwhile)]},
            audience=Audience(),
            server_now_ms=lambda: NOW,
        )
        runs = ProcessorRuns(
            decider=decider,
            chats=chats,
            guard=LoopGuard(10**6),
            grants=self.grants,
            sight=Sight(self.store),
        )
        self._runner = Runner(
            jobs=self.jobs,
            handlers={
                RUN: runs,
                POST: ChatPosts(chats=chats, jobs=self.jobs),
                ANSWER: lambda job, hold: Done(),
            },
            rest=self._sleep,
        )

    def meanwhile(self) -> None:
        """Some other worker has his turn."""
        if self._left and self._order(2):
            self._work()

    def live(self) -> None:
        """Until nothing is left to do."""
        for _ in range(2000):
            if not self.jobs.of("ready", "leased"):
                return
            try:
                self._turn()
            except Crash:
                self._left.clear()
                self._sleep(3.0)
                self.jobs.take_over()
        raise AssertionError("it never comes to an end")

    def _turn(self) -> None:
        held = [Hold(lease_s=LEASE_S, time_out_s=60) for _ in range(4)]
        try:
            claimed = self.jobs.claim(
                kinds=self._runner.kinds, limit=4, lease_s=LEASE_S
            )
        except Transient:
            claimed = []
        if not claimed:
            self._sleep(max(0.1, self.jobs.due_s() or 0.0))
        self._left += [Work(*each) for each in zip(claimed, held, strict=False)]
        while self._left:
            self._work()

    def _work(self) -> None:
        work = self._left.pop(self._order(len(self._left)))
        after = self._runner.run(work, goes_on=self._order(3) > 0)
        if after.work:
            self._left.append(after.work)

    def _sleep(self, seconds: float) -> None:
        self.clock.now += seconds


def granted(uses: Sequence[int]) -> list[Grant]:
    """A message each, with two buttons."""
    return [
        Grant(f"{n}{ref}", "button", "rota.approve", {}, uses=most, choice=f"c{n}")
        for n, most in enumerate(uses)
        for ref in REFS
    ]


def press(number: int, message: int, ref: str, person: str) -> Event:
    data = {"ref": f"{message}{ref}", "message": str(message)}
    user = User(person, nick=person)
    return pressed(id=f"p{number}", data=data, user=user)


@settings(max_examples=150, deadline=None)
@given(
    plan=troubles,
    uses=st.lists(st.integers(1, 2), min_size=1, max_size=2),
    presses=st.lists(
        st.tuples(st.integers(0, 1), st.sampled_from(REFS), st.sampled_from("abc")),
        min_size=1,
        max_size=6,
    ),
    order=st.randoms(use_true_random=False),
)
def test_what_may_be_pressed_so_often_is_done_so_often(
    plan: list[str],
    uses: list[int],
    presses: list[tuple[int, str, str]],
    order: object,
) -> None:
    wanted: Counter[int] = Counter()
    with pytest.MonkeyPatch.context() as patch:
        life = Life(plan, order.randrange)  # type: ignore[attr-defined]
        patch.setattr(holds.time, "monotonic", life.clock)
        life.grants.make(each._replace(expires_s=1e9) for each in granted(uses))
        for number, (place, ref, person) in enumerate(presses):
            message = place % len(uses)
            wanted[message] += 1
            life.jobs.offer(press(number, message, ref, person), "rota.approve")
        life.live()
        life.clock.now += 1000
        life.chat.settle()
        life.troubles.end()

    assert {row.state for row in life.jobs.rows.values()} == {"done"}
    done = {n: min(wanted[n], most) for n, most in enumerate(uses)}
    for message, count in done.items():
        assert life.store.read("rota", str(message)).value == (count or None)
    said = [f"{n}: {k}" for n, count in done.items() for k in range(1, count + 1)]
    assert Counter(life.chat.messages) == Counter(said)
    # What it says can be pressed: each new button has its row, and knows its post.
    made = [row for ref, row in life.grants.rows.items() if ref[1:] not in REFS]
    assert len(made) == len(said)
    assert len({row.post_id for row in made} - {""}) == len(said)
