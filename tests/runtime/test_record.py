"""What is told of a thing that was done."""

from __future__ import annotations

import json
import logging

import pytest

from malexbot.runtime.record import Record


def test_a_record_is_plain_json_with_all_its_keys() -> None:
    told = Record(
        at=1_700_000_000.1234,
        who="response",
        what="run",
        outcome="done",
        took_s=0.00312,
        job=7,
        attempt=1,
        event_id="e1",
        user="u1",
        peer=2000000002,
    )
    assert json.loads(json.dumps(told.as_dict())) == {
        "time": "2023-11-14T22:13:20.123Z",
        "who": "response",
        "what": "run",
        "outcome": "done",
        "note": None,
        "to": None,
        "job": 7,
        "parent": None,
        "attempt": 1,
        "event_id": "e1",
        "event_type": None,
        "source": None,
        "user": "u1",
        "peer": 2000000002,
        "ms": 3.1,
    }
    line = "run done in 3.1 ms job=7 attempt=1 event_id=e1 user=u1 peer=2000000002"
    assert told.line() == line
    assert told._replace(note="hm").line() == f"{line}: hm"


@pytest.mark.parametrize(
    ("outcome", "level"),
    [
        ("done", logging.INFO),
        ("again", logging.WARNING),
        ("expired", logging.WARNING),
        ("dead", logging.ERROR),
        ("rejected", logging.ERROR),
    ],
)
def test_an_outcome_has_a_level(outcome: str, level: int) -> None:
    assert Record(0.0, "save", "keep", outcome).level == level
