from __future__ import annotations

import copy
import time
from email.utils import formatdate

import pytest

from malexbot.messengers.mattermost.failures import (
    LONGEST_WAIT_S,
    Answer,
    Missing,
    Unauthorised,
    answer,
    gist,
    retry_after_s,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        ("3, 9", 9),
        ("-1", 0),
        ("86400", LONGEST_WAIT_S),
        ("", None),
        ("soon", None),
        ("nan", None),
    ],
)
def test_retry_after_is_read(text: str, seconds: float | None) -> None:
    assert retry_after_s(text) == seconds


def test_retry_after_may_be_a_time() -> None:
    in_a_minute = time.time() + 60
    for text in (str(in_a_minute), formatdate(in_a_minute, usegmt=True)):
        seconds = retry_after_s(text)
        assert seconds is not None
        assert 50 < seconds <= 61


def test_the_details_of_a_developer_stay_out() -> None:
    body = {"id": "a.b", "message": "No.", "detailed_error": "token=secret"}
    told = answer(401, body, "", {"X-Request-Id": "r1"})
    assert str(told) == "401 No. (a.b, request r1)"


def test_the_same_failure_of_another_request_has_the_same_gist() -> None:
    first, again = (
        Unauthorised("get /x", Answer(401, "a.b", "No.", request_id))
        for request_id in ("r1", "r2")
    )
    assert str(first) != str(again)
    assert gist(first) == gist(again)
    assert gist(first) != gist(Missing("get /x", Answer(404, "a.b", "No.", "r1")))
    assert gist(OSError("no such host")) == "no such host"


def test_a_failure_can_be_copied() -> None:
    missing = Missing("get /x", Answer(404, "a.b", "No.", "r1"))
    assert str(copy.copy(missing)) == str(missing)
    assert "404 No." in str(missing)
