"""Whatever fails, each question has one answer, in the order of its channel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from malexbot.errors import Transient, Uncertain
from malexbot.events import Event
from malexbot.pipeline import hold as holds
from malexbot.pipeline.audience import Audience, Heard
from malexbot.pipeline.decider import Decider
from malexbot.pipeline.effects import POST
from malexbot.pipeline.guard import LoopGuard
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.runner import Runner, Work
from malexbot.pipeline.runs import RUN, ProcessorRuns
from malexbot.pipeline.sends import ChatPosts
from malexbot.ports import Bot, Occasion, Processor
from tests.support.events import BOT, NOW, posted
from tests.support.fakes import Clock, Late, MemoryChat
from tests.support.queue import MOST_CUT_OFF, MemoryJobs

# What may happen at a door; nothing happens most of the time.
FINE, DOWN, UNCLEAR, LATE, CRASH, SLOW = (
    "fine",
    "down",
    "unclear",
    "late",
    "crash",
    "slow",
)
# (A job that is cut off five times is given up, which is another promise.)
LEASE_S = 90.0
# A message may arrive as late as the client stops waiting for its answer.
TIME_OUT_S = 10.0


class Crash(BaseException):
    """The process is gone, in the middle of it."""


class Troubles:
    """What happens at each door, in turn; after the last of it all is fine."""

    def __init__(self, plan: Sequence[str], clock: Clock) -> None:
        self._plan = list(plan)
        self._clock = clock
        self._cut_off = 0

    def end(self) -> None:
        """What was still to come does not: the test looks at what is there."""
        self._plan.clear()

    def __call__(self, door: str) -> None:
        trouble = self._plan.pop(0) if self._plan else FINE
        if trouble == CRASH or (trouble == DOWN and door == "claimed"):
            # A claim whose answer is lost leaves leases behind, as a crash does.
            if self._cut_off == MOST_CUT_OFF - 1:
                return
            self._cut_off += 1
        if trouble == CRASH:
            raise Crash(door)
        if trouble == SLOW:
            self._clock.now += 7.0
        if trouble == DOWN and door != "sent":
            raise Transient(f"{door}: down")
        if trouble == UNCLEAR and door in ("send", "sent", "find"):
            raise Uncertain(f"{door}: nobody knows")
        if trouble == LATE and door == "send":
            raise Late(TIME_OUT_S)


class Answer(Processor):
    """Answers each question by its name."""

    name = "answer"
    max_age_s = 1e9

    def __init__(self, fail: Callable[[str], None]) -> None:
        self._fail = fail

    def handle(self, event: Event, occasion: Occasion, bot: Bot) -> None:
        self._fail("handle")
        bot.reply(f"{event.event_id}, first")
        bot.reply(f"{event.event_id}, second")
        self._fail("handled")


class Life:
    """The daemon from its first to its last crash, in seconds that a test makes."""

    def __init__(self, plan: Sequence[str]) -> None:
        self.clock = Clock()
        fail = Troubles(plan, self.clock)
        self.jobs = MemoryJobs(self.clock, fail)
        self.chat = MemoryChat(self.clock, fail, timeout_s=TIME_OUT_S)
        chats = {"mattermost": self.chat}
        decider = Decider(
            processors={"posted": [Answer(fail)]},
            audience=Audience(Heard(BOT)),
            server_now_ms=lambda: NOW,
        )
        runs = ProcessorRuns(
            decider=decider,
            chats=chats,
            guard=LoopGuard(10**6),
        )
        self.runner = Runner(
            jobs=self.jobs,
            handlers={RUN: runs, POST: ChatPosts(chats=chats, jobs=self.jobs)},
            rest=self.sleep,
        )

    def sleep(self, seconds: float) -> None:
        self.clock.now += seconds

    def live(self, order: Callable[[int], int]) -> None:
        """Until nothing is left to do; `order` says which claimed job comes first."""
        for _ in range(2000):
            if not self.jobs.of("ready", "leased"):
                return
            try:
                self._turn(order)
            except Crash:
                self.sleep(3.0)
                self.jobs.take_over()
        raise AssertionError("it never comes to an end")

    def _turn(self, order: Callable[[int], int]) -> None:
        holds = [Hold(lease_s=LEASE_S, time_out_s=60) for _ in range(4)]
        try:
            claimed = self.jobs.claim(kinds=self.runner.kinds, limit=4, lease_s=LEASE_S)
        except Transient:
            claimed = []
        if not claimed:
            self.sleep(max(0.1, self.jobs.due_s() or 0.0))
        left = [Work(*each) for each in zip(claimed, holds, strict=False)]
        while left:
            work = left.pop(order(len(left)))
            after = self.runner.run(work, goes_on=order(3) > 0)
            if after.work:
                left.append(after.work)


def asked(channels: Sequence[str]) -> list[Event]:
    return [posted(f"q{n}", channel_id=channel) for n, channel in enumerate(channels)]


troubles = st.lists(
    st.sampled_from([FINE, FINE, FINE, DOWN, UNCLEAR, LATE, CRASH, SLOW]), max_size=40
)


@settings(max_examples=150, deadline=None)
@given(
    plan=troubles,
    channels=st.lists(st.sampled_from("abc"), min_size=1, max_size=6),
    order=st.randoms(use_true_random=False),
)
def test_each_question_is_answered_once_and_in_order(
    plan: list[str], channels: list[str], order: object
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        life = Life(plan)
        patch.setattr(holds.time, "monotonic", life.clock)
        questions = asked(channels)
        for question in questions:
            life.jobs.offer(question, "answer")
        life.live(order.randrange)  # type: ignore[attr-defined]
        life.clock.now += 1000
        life.chat.settle()

    assert {row.state for row in life.jobs.rows.values()} == {"done"}
    said = Counter(life.chat.messages)
    expected = [
        f"{question.event_id}, {part}"
        for question in questions
        for part in ("first", "second")
    ]
    assert said == Counter(expected)
    passed = {row.lane for row in life.jobs.rows.values() if row.is_loose}
    for channel in set(channels) - {lane.split(":")[1] for lane in passed}:
        in_channel = [
            p["message"] for _, p in life.chat.posts if p["channel_id"] == channel
        ]
        assert in_channel == [text for text in expected if text in in_channel]
