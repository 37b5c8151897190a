"""The fixed conversation: played, and held against what the archive has of it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

from malexbot.cli.demo.conversation import HISTORY, SECRET
from malexbot.cli.demo.stage import Stage
from malexbot.cli.demo.telling import Teller
from malexbot.cli.demo.verdict import (
    ANSWERED,
    DELETED,
    EDITED,
    KEPT,
    NOTHING,
    UNANSWERED,
    Claim,
    Finding,
    answered,
    held,
    strangers,
)
from malexbot.runtime.deadline import Deadline
from malexbot.sandbox.ledger import Entry

_TURN_S = 0.05
# What is still wrong then stays wrong; and once something has stayed wrong.
PATIENCE_S = 10.0
_IMPATIENCE_S = 1.0


class Question(NamedTuple):
    """Something that malexbot should answer once, or not at all."""

    post_id: str
    happened: str
    expected: str


class Script:
    """One telling of it; `play` gives the rows of the table."""

    def __init__(
        self, stage: Stage, teller: Teller, *, patience_s: float = PATIENCE_S
    ) -> None:
        self._stage = stage
        self._teller = teller
        self._scene = stage.mattermost.scene
        self._claims: dict[str, Claim] = {}
        self._questions: list[Question] = []
        self._patience_s = patience_s

    def play(self) -> list[Finding]:
        """Each step leaves the archive time to follow, as long as it needs."""
        self._history()
        self._live()
        self._cut()
        self._killed_as_it_answers()
        self._while_it_is_down()
        with self._teller.step("All is said; what malexbot still does is waited for"):
            self._settle()
        return self.findings()

    def findings(self) -> list[Finding]:
        """What of it holds, as things stand."""
        rows = self._stage.rows()
        known = [*self._claims, *self._answer_ids()]
        return [
            *(self._finding(claim) for claim in self._claims.values()),
            *(self._answer_finding(question) for question in self._questions),
            *strangers(rows, known),
        ]

    # The acts.

    def _history(self) -> None:
        with self._step("alice and bob have been talking since yesterday"):
            ids = self._stage.tell_history()
        for post_id, line in zip(ids, HISTORY, strict=True):
            expected = NOTHING if SECRET in line.text else KEPT
            self._claim(post_id, line.text, "before malexbot came", expected)
        self._old, *_, self._release = ids
        self._ask(self._old, "asked too long ago", UNANSWERED)
        with self._step("malexbot starts, and finds what was said before it came"):
            self._stage.start_daemon()
            self._follow()

    def _live(self) -> None:
        with self._step("bob talks, corrects himself, and says something in private"):
            lunch = self._say("bob", "Lunch is at noon.", "live, then edited", EDITED)
            self._say("bob", f"{SECRET}: yawn", "live", NOTHING)
            self._follow()
            self._edit(lunch, "Lunch is at one.")
            self._follow()
        with self._step("alice says what she should not have, and takes it back"):
            code = self._say(
                "alice", "My PIN is 4711. Oops", "live, then deleted", DELETED
            )
            self._follow()
            self._scene.delete(code)
            self._follow()
        with self._step("alice says ping, and malexbot answers"):
            ping = self._say("alice", "ping", "a question", KEPT)
            self._ask(ping, "answer to ping", ANSWERED)
            self._give_time(lambda: bool(self._answers(ping)))
            self._follow()

    def _cut(self) -> None:
        with self._step("The line to Mattermost is cut; bob talks, alice edits"):
            self._stage.shut_the_door()
            self._train = self._say(
                "bob", "I am on the train.", "line cut; deleted", DELETED
            )
            self._edit(self._release, "Release on Friday!")
            claim = self._claims[self._release]
            claim.happened, claim.expected = "edited with line cut", EDITED
        with self._step("The line is back"):
            self._stage.open_the_door()
            self._follow()

    def _killed_as_it_answers(self) -> None:
        stage = self._stage
        with self._step("alice asks, and malexbot is killed (-9) as it has answered"):
            faults = stage.mattermost.faults
            faults.strike(at=1, moment="after", act="kill", pid=stage.daemon.pid)
            cake = self._say("alice", "Is there cake left?", "a question", KEPT)
            self._ask(cake, "as it was killed", ANSWERED)
            self._give_time(lambda: stage.is_down)
            if not stage.is_down:  # it did not answer, as the table will tell
                stage.daemon.signal(signal.SIGKILL)

    def _while_it_is_down(self) -> None:
        with self._step("While it is down bob talks and deletes, and alice asks again"):
            self._say("bob", "It is quiet here.", "malexbot was down", KEPT)
            self._scene.delete(self._train)
            start = self._say("alice", "When do we start?", "malexbot was down", KEPT)
            self._ask(start, "asked while down", ANSWERED)
        with self._step("malexbot is started again"):
            self._stage.start_daemon()
            self._follow()

    # What the acts are made of.

    def _step(self, text: str) -> AbstractContextManager[None]:
        return self._teller.step(text)

    def _say(self, who: str, text: str, happened: str, expected: str) -> str:
        post_id = self._stage.say(who, text)
        self._claim(post_id, text, happened, expected)
        return post_id

    def _claim(self, post_id: str, text: str, happened: str, expected: str) -> None:
        self._claims[post_id] = Claim(post_id, [text], happened, expected)

    def _edit(self, post_id: str, text: str) -> None:
        self._scene.edit(post_id, text)
        self._claims[post_id].texts.append(text)

    def _ask(self, post_id: str, happened: str, expected: str) -> None:
        self._questions.append(Question(post_id, happened, expected))

    def _follow(self) -> None:
        """Leave malexbot time; what it never does is seen in the table."""
        self._stage.wait_until_listening()
        self._give_time(self._stage.has_caught_up)

    def _settle(self) -> None:
        """Until all agrees and nothing is left to do, or for good."""
        self._give_time(lambda: all(each.agrees for each in self.findings()))
        self._give_time(lambda: not self._stage.has_work_left())

    def _give_time(self, is_true: Callable[[], bool]) -> None:
        """Who is late once is not waited for as long again."""
        deadline = Deadline(self._patience_s)
        while not is_true():
            if deadline.is_over:
                self._patience_s = _IMPATIENCE_S
                return
            self._stage.pause(_TURN_S)

    # What came of it.

    def _finding(self, claim: Claim) -> Finding:
        return Finding(
            claim.texts[0], claim.happened, claim.expected, self._held(claim)
        )

    def _held(self, claim: Claim) -> str:
        row = self._stage.rows().get(claim.post_id)
        earlier = self._stage.archive.earlier_texts(claim.post_id) if row else []
        return held(claim, row, earlier)

    def _answer_finding(self, question: Question) -> Finding:
        answers = self._answers(question.post_id)
        asked = self._claims[question.post_id].texts[0]
        text, holds = f"(to {asked})", NOTHING
        if answers:
            said = answers[0]
            holds = self._held(Claim(said.id, said.texts, "", ""))
            text = f"↳ {said.text}"
        found = answered(len(answers), holds)
        return Finding(text, question.happened, question.expected, found)

    def _answers(self, post_id: str) -> list[Entry]:
        town = self._stage.town
        return self._stage.mattermost.ledger.answers(post_id, by=town.bot)

    def _answer_ids(self) -> list[str]:
        return [
            answer.id
            for question in self._questions
            for answer in self._answers(question.post_id)
        ]
