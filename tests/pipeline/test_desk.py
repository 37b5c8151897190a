from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from malexbot.errors import Transient
from malexbot.events import Event
from malexbot.pipeline import desk as module
from malexbot.pipeline.desk import Answer, Desk, Full, Witness
from malexbot.pipeline.reply import ANSWER
from malexbot.pipeline.verdicts import Again, Done, Ended, Expired
from malexbot.ports import Effect, Entry
from tests.support.events import commanded, filled_in, pressed
from tests.support.queue import job

LONG_S = 20.0


class Front:
    """A desk, the intake that it offers to, and who waits."""

    def __init__(self, processors: tuple[str, ...] = ("rota.deploy",)) -> None:
        self.offered: list[Event] = []
        self.taken: list[bool] = []
        self.has_room = True
        self.processors = processors
        self.meanwhile: Callable[[], None] = lambda: None
        self.now_ms: Callable[[], int] = lambda: 1234
        self.desk = Desk(
            offer=self.offer,
            decide=self.decide,
            now_ms=lambda: self.now_ms(),
            locale=lambda user: "ru",
        )

    def offer(self, event: Event) -> bool:
        self.offered.append(event)
        self.meanwhile()
        return self.has_room

    def decide(self, event: Event) -> Entry | None:
        return Entry(event, False, self.processors) if self.processors else None

    def ask(self, event: Event | None = None, wait_s: float = 0.0) -> Answer | None:
        """What is answered, and written to whoever called."""
        told = self.desk.ask(event or commanded(), wait_s)
        self.desk.note_written("e1")
        return told

    def hand_over(self, *answers: Answer) -> None:
        """Another thread does, while this one goes on; what came of it is `taken`."""

        def work() -> None:
            self.taken.extend(self.desk.hand_over("e1", each) for each in answers)

        self.thread = threading.Thread(target=work)
        self.thread.start()

    def ended(self, *effects: Effect) -> None:
        self.desk.ended(job(kind="run", event=commanded()), Done(effects))


def answer(**values: Any) -> dict[str, Any]:
    return {"event_id": "e1", "message": "done", **values}


@pytest.fixture
def front() -> Front:
    return Front()


def test_who_asks_is_given_the_answer_of_the_handler(front: Front) -> None:
    front.meanwhile = lambda: front.hand_over(answer())
    assert front.ask(wait_s=LONG_S) == answer()
    front.thread.join(LONG_S)
    assert front.taken == [True]
    assert front.desk.waiting == 0
    assert front.desk.outcomes == {"answered": 1}


def test_a_call_is_of_now_by_the_clock_that_ages_are_judged_by(front: Front) -> None:
    front.meanwhile = front.ended
    front.ask(wait_s=LONG_S)
    assert [event.occurred_at for event in front.offered] == [1234]

    def unknown() -> int:
        raise Transient("the server does not say what time it is")

    front.now_ms = unknown
    with pytest.raises(Transient, match="what time"):
        front.ask(wait_s=LONG_S)
    assert len(front.offered) == 1


def test_an_answer_goes_to_one_call_once(front: Front) -> None:
    texts = answer(message="first"), answer(message="second")
    front.meanwhile = lambda: front.hand_over(*texts)
    assert front.ask(wait_s=LONG_S) == answer(message="first")
    front.thread.join(LONG_S)
    assert front.taken == [True, False]
    assert not front.desk.hand_over("e1", answer())


def test_an_answer_that_nobody_has_written_is_not_given(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITTEN_WITHIN_S", 0.01)
    front.meanwhile = lambda: front.hand_over(answer())
    assert front.desk.ask(commanded(), LONG_S) == answer()
    front.thread.join(LONG_S)
    assert front.taken == [False]
    front.desk.note_written("e1")


def test_what_nobody_wants_is_said_at_once_and_costs_no_event() -> None:
    front = Front(processors=())
    assert front.ask() == {"message": "Здесь на это уже никто не отвечает."}
    assert front.ask(filled_in()) == {"error": "Здесь на это уже никто не отвечает."}
    assert front.offered == []


def test_who_says_nothing_holds_nobody_up(front: Front) -> None:
    front.meanwhile = front.ended
    assert front.ask(wait_s=LONG_S) == {}
    assert front.desk.outcomes == {"silent": 1}


def test_an_answer_that_follows_is_waited_for(front: Front) -> None:
    def meanwhile() -> None:
        front.ended(Effect(ANSWER, "mattermost:@alice-id/e1", {}))
        front.hand_over(answer())

    front.meanwhile = meanwhile
    assert front.ask(wait_s=LONG_S) == answer()


def test_of_several_handlers_the_last_one_ends_the_wait() -> None:
    front = Front(processors=("a", "b"))

    def meanwhile() -> None:
        front.ended()
        front.hand_over(answer())

    front.meanwhile = meanwhile
    assert front.ask(wait_s=LONG_S) == answer()
    front.meanwhile = lambda: (front.ended(), front.ended())[0]
    assert front.ask(wait_s=LONG_S) == {}


@pytest.mark.parametrize("verdict", [Again(1.0, "away"), Ended("dead", "broken")])
def test_a_handler_that_failed_may_still_be_followed_by_an_answer(
    front: Front, verdict: Again | Ended
) -> None:
    def meanwhile() -> None:
        front.desk.ended(job(kind="run", event=commanded()), verdict)
        front.hand_over(answer())

    front.meanwhile = meanwhile
    assert front.ask(wait_s=LONG_S) == answer()


def test_a_slow_handler_answers_later(front: Front) -> None:
    front.meanwhile = lambda: Witness(front.desk).look(commanded())
    assert front.ask() is None
    assert not front.desk.hand_over("e1", answer())
    front.desk.begin("e1")
    assert front.desk.outcomes == {"late": 1}


def test_a_full_intake_turns_away(front: Front) -> None:
    front.has_room = False
    with pytest.raises(Full, match="no room"):
        front.ask(wait_s=LONG_S)
    assert front.desk.outcomes == {"refused": 1}


def test_what_nobody_can_write_down_is_refused_and_not_done_later(front: Front) -> None:
    with pytest.raises(Full, match="nothing can be written") as caught:
        front.ask()
    assert caught.value.retry_after_s
    with pytest.raises(Expired, match="was told that it is not done"):
        front.desk.begin("e1")
    front.desk.begin("another")


def test_a_run_that_has_begun_is_durable(front: Front) -> None:
    front.meanwhile = lambda: front.desk.begin("e1")
    assert front.ask() is None
    front.desk.begin("e1")


def test_the_memory_of_who_was_turned_away_has_a_bound(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_TURNED_AWAY", 3)
    for number in range(5):
        with pytest.raises(Full):
            front.ask(pressed(id=f"e{number}"))
    forgotten = [n for n in range(5) if not front.desk.has_turned_away(f"e{n}")]
    assert forgotten == [0, 1]


def test_what_goes_another_way_is_not_waited_for(front: Front) -> None:
    front.meanwhile = lambda: front.desk.let_go("e1")
    assert front.ask(wait_s=LONG_S) == {}


def test_what_is_told_again_is_only_kept(front: Front) -> None:
    front.meanwhile = lambda: front.desk.note_durable("e1")
    front.desk.keep(commanded(), LONG_S)
    front.meanwhile = lambda: None
    with pytest.raises(Full):
        front.desk.keep(commanded(), 0)
    front.desk.begin("e1")


def test_what_nobody_wants_is_kept_by_nobody() -> None:
    front = Front(processors=())
    front.desk.keep(commanded(), LONG_S)
    assert front.offered == []
