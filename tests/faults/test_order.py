"""What is out of order is seen; what may be so is not."""

from __future__ import annotations

import pytest

from malexbot.events import Event
from malexbot.sandbox.ledger import Entry
from malexbot.storage.database import Database
from malexbot.storage.wire import to_json
from tests.faults.order import HELD_S, MAX_AGE_MS, out_of_order, too_old
from tests.support.events import NOW, posted

RUN = """
INSERT INTO jobs (kind, name, lane, event_id, event, is_loose, state, finished_at,
  failing_since)
VALUES ('run', 'response', %s, %s, %s, %s, 'done', now() + %s * interval '1 second',
  now() - %s * interval '1 second')
"""
# Of the length that the server gives them: an answer names its question.
FIRST, SECOND = "a" * 26, "b" * 26


def entry(text: str, create_at: int = NOW) -> Entry:
    return Entry(
        id=text[-26:],
        channel_id="c1",
        user_id="alice-id",
        root_id="",
        create_at=create_at,
        pending_post_id="",
        texts=[text],
        texts_at=[create_at],
    )


def answer(question: str) -> Entry:
    return entry(f"answer to {question}")


def run(
    database: Database,
    *events: Event,
    finished_s: tuple[int, ...] = (0, 1),
    loose_after_s: float | None = None,
    lanes: tuple[str, ...] = ("one", "one"),
) -> None:
    with database.transaction() as cursor:
        for event, lane, at_s in zip(events, lanes, finished_s, strict=True):
            is_loose = loose_after_s is not None
            values = (lane, event.event_id, to_json(event), is_loose, at_s)
            cursor.execute(RUN, (*values, loose_after_s))


WORDS = ("answered", "overtaken", "taken after")
ASKED = [entry(FIRST), entry(SECOND, NOW + 1)]
IN_ORDER = [answer(FIRST), answer(SECOND)]


def test_what_was_taken_and_answered_as_it_was_asked_is_right(
    database: Database,
) -> None:
    run(database, posted(FIRST), posted(SECOND))
    assert [*out_of_order(database, ASKED, IN_ORDER)] == []


def test_what_was_taken_out_of_order_is_seen(database: Database) -> None:
    run(database, posted(SECOND), posted(FIRST))
    (told,) = out_of_order(database, ASKED, IN_ORDER[:1])
    assert "taken after" in told


def test_what_was_answered_out_of_order_is_seen(database: Database) -> None:
    run(database, posted(FIRST), posted(SECOND))
    (told,) = out_of_order(database, ASKED, IN_ORDER[::-1])
    assert "answered after" in told


def test_a_job_that_was_overtaken_is_seen(database: Database) -> None:
    run(database, posted(FIRST), posted(SECOND), finished_s=(1, 0))
    (told,) = out_of_order(database, ASKED, IN_ORDER)
    assert "overtaken" in told


def test_other_lanes_have_no_order(database: Database) -> None:
    run(database, posted(FIRST), posted(SECOND), lanes=("one", "two"))
    assert [*out_of_order(database, ASKED, IN_ORDER[::-1])] == []


@pytest.mark.parametrize(
    ("loose_after_s", "told"), [(HELD_S, []), (HELD_S / 2, ["answered", "overtaken"])]
)
def test_only_what_failed_for_long_may_be_overtaken(
    database: Database, loose_after_s: float, told: list[str]
) -> None:
    events = posted(FIRST), posted(SECOND)
    run(database, *events, loose_after_s=loose_after_s, finished_s=(1, 0))
    found = [*out_of_order(database, ASKED, IN_ORDER[::-1])]
    assert sorted(word for each in found for word in WORDS if word in each) == told


def test_what_is_read_has_the_order_of_its_time(database: Database) -> None:
    """The clock was set back between the two."""
    asked = [entry(FIRST, NOW + 1), entry(SECOND)]
    events = [posted(id, origin="backfill") for id in (SECOND, FIRST)]
    run(database, *events)
    assert [*out_of_order(database, asked, IN_ORDER[::-1])] == []


@pytest.mark.parametrize("third_at", [NOW - 1, NOW + 2])
def test_what_is_read_of_a_time_that_was_told_twice_has_no_order(
    database: Database, third_at: int
) -> None:
    """It may stand on two pages, of which the newer is read first, or on one."""
    asked = [entry(FIRST, NOW), entry(SECOND, NOW + 1), entry("c" * 26, third_at)]
    run(database, *(posted(id, origin="backfill") for id in (SECOND, FIRST)))
    told = [*out_of_order(database, asked, IN_ORDER)]
    assert ["taken after" in each for each in told] == [True] * (third_at > NOW)


def test_an_answer_that_came_too_late_is_seen() -> None:
    asked = {FIRST: entry(FIRST)}
    late = entry(f"answer to {FIRST}", NOW + MAX_AGE_MS + 1)
    assert [*too_old(asked, [late])]
    assert not [*too_old(asked, [answer(FIRST)])]
