"""What is done is told once, by ids, and never what somebody said."""

from __future__ import annotations

from typing import Any

import pytest

from malexbot.bus import wire
from malexbot.errors import MalexbotError, Permanent, Transient
from malexbot.pipeline.deeds import Deeds, of_job
from malexbot.pipeline.verdicts import Again, Done, Ended, Verdict, verdict
from malexbot.ports import Entry, Parcel, Reject
from malexbot.runtime.health import Health
from malexbot.runtime.record import Record
from malexbot.runtime.workstream import Workstream
from tests.support.events import posted
from tests.support.queue import job


class Listening(Workstream):
    """Keeps what is noted."""

    def __init__(self, *, only_failures: bool = False, is_on: bool = True) -> None:
        super().__init__(Health())
        self.records: list[Record] = []
        self._is_on, self._is_strict = is_on, only_failures

    def takes(self, *, is_failure: bool = False) -> bool:
        return self._is_on and (is_failure or not self._is_strict)

    def note(self, record: Record) -> None:
        self.records.append(record)


RUN = job(kind="run", name="response", event=posted("e1"), payload={}, id=7)


def told(verdict: Verdict, **more: Any) -> Record:
    return of_job(job(**more) if more else RUN, verdict, 0.5, 99.0)


def test_a_run_names_processor_event_user_and_channel() -> None:
    assert told(Done(note="one answer held back")) == Record(
        at=99.0,
        who="response",
        what="run",
        outcome="done",
        took_s=0.5,
        note="one answer held back",
        job=7,
        attempt=1,
        event_id="e1",
        event_type="message",
        source="mattermost",
        user="alice-id",
        peer="c1",
    )


def test_what_comes_of_a_run_names_its_target_and_the_run() -> None:
    record = told(Done(note="post p9"), kind="chat.post", id=8, parent=7)
    assert (record.who, record.what, record.to) == (
        "chat",
        "chat.post",
        "mattermost:c1",
    )
    assert (record.job, record.parent, record.note) == (8, 7, "post p9")


def test_a_delivery_names_target_and_event() -> None:
    payload = {"to": "redis:all", "id": "e1", "event": wire(posted("e1"))}
    record = told(Done(), kind="redis", name="redis:all (buttons)", payload=payload)
    assert (record.who, record.what, record.to) == ("redis", "redis", "redis:all")
    assert (record.event_id, record.user, record.peer) == ("e1", "alice-id", "c1")


@pytest.mark.parametrize("event", [{}, {"user": None, "peer": "c1"}])
def test_a_payload_that_is_odd_ends_nothing(event: Any) -> None:
    record = told(Done(), kind="redis", payload={"event": event})
    assert (record.event_id, record.user, record.peer) == ("", "", "")


def test_an_answer_names_its_event() -> None:
    record = told(Done(), kind="chat.answer", payload={"event_id": "e5"})
    assert (record.event_id, record.user) == ("e5", "")


@pytest.mark.parametrize(
    ("verdict", "outcome", "note"),
    [
        (Again(1.0, "away"), "again", "away"),
        (Ended("dead", "no such channel"), "dead", "no such channel"),
        (Ended("expired", "too old"), "expired", "too old"),
    ],
)
def test_the_end_and_its_reason_are_told(
    verdict: Verdict, outcome: str, note: str
) -> None:
    assert told(verdict)[3:6] == (outcome, 0.5, note)


@pytest.mark.parametrize("failures", [0, 9])
def test_of_a_plugins_exception_only_the_kind_is_told(failures: int) -> None:
    found = verdict(job(failures=failures), ValueError("alice said: the password is x"))
    assert found is not None and "password" in found[1]
    assert told(found).note == "ValueError"


@pytest.mark.parametrize("error", [Transient, Permanent, MalexbotError])
def test_what_our_own_errors_say_is_told(error: type[MalexbotError]) -> None:
    found = verdict(job(), error("Redis: away: really"))
    assert found is not None
    assert told(found).note == "Redis: away: really"


def test_a_long_reason_is_cut_to_a_line() -> None:
    note = told(Ended("dead", "a\nb " + "x" * 1000)).note
    assert note.startswith("a b xxx") and len(note) <= 200
    assert told(Ended("dead", "half \ud83d a sign")).note == "half ? a sign"


def test_nothing_that_was_said_is_in_it() -> None:
    event = posted("e1", "my secret words")
    records = [
        of_job(job(kind="run", event=event), Done(), 0.0, 0.0),
        of_job(job(kind="redis", payload={"event": wire(event)}), Done(), 0.0, 0.0),
        of_job(job(payload={"message": "my secret words"}), Done(), 0.0, 0.0),
    ]
    listening = Listening()
    Deeds(listening).written([Parcel([Entry(event, True)])], 0.0)
    assert len(listening.records) == 1
    for record in [*records, *listening.records]:
        assert "secret" not in str(record.as_dict())


def test_what_is_kept_is_told_when_it_is_durable() -> None:
    listening = Listening()
    kept, updated = Entry(posted("e1"), True), Entry(posted("e2"), False)
    read = Entry(posted("e3", origin="backfill"), True)
    reject = Reject("mattermost", b"{", "e3: ValueError: what alice said")
    Deeds(listening, lambda: 99.0).written(
        [Parcel([kept, updated, read], (), [reject])], 0.2
    )
    first, third, second = listening.records
    assert (first.who, first.what, first.outcome) == ("save", "keep", "done")
    assert (first.event_id, first.user, first.peer) == ("e1", "alice-id", "c1")
    assert (second.who, second.what, second.outcome) == ("intake", "keep", "rejected")
    assert (first.note, third.event_id, third.note) == ("", "e3", "backfill")
    assert (second.source, second.note, second.took_s) == ("mattermost", "", 0.2)


def test_only_failures_are_told_where_only_they_are_wanted() -> None:
    listening = Listening(only_failures=True)
    deeds = Deeds(listening)
    deeds.ended(RUN, Done(), 0.0)
    deeds.ended(RUN, Again(1.0, "its turn comes", is_failure=False), 0.0)
    deeds.ended(RUN, Again(1.0, "away"), 0.0)
    deeds.ended(RUN, Ended("dead", "gone"), 0.0)
    reject = Reject("mattermost", b"{", "no JSON")
    deeds.written([Parcel([Entry(posted(), True)], (), [reject])], 0.0)
    deeds.changed("mattermost", "up", True)
    deeds.changed("mattermost", "down", False)
    outcomes = [record.outcome for record in listening.records]
    assert outcomes == ["again", "dead", "rejected", "not ready"]


def test_nothing_is_made_when_nobody_is_told() -> None:
    listening = Listening(is_on=False)
    deeds = Deeds(listening)
    deeds.ended(RUN, Ended("dead", "gone"), 0.0)
    deeds.written([Parcel([Entry(posted(), True)])], 0.0)
    deeds.changed("mattermost", "down", False)
    assert not listening.records


def test_a_part_that_ceases_to_work_is_told_once() -> None:
    listening, health = Listening(), Health()
    health.on_change = Deeds(listening).changed
    for state, is_ready in (
        ("connects", False),
        ("down: 1", False),
        ("up", True),
        ("up", True),
    ):
        health.tell("mattermost", state, is_ready=is_ready)
    found = [(each.who, each.outcome, each.note) for each in listening.records]
    assert found == [
        ("mattermost", "not ready", "connects"),
        ("mattermost", "ready", "up"),
    ]
