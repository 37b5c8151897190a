"""Why a line to a messenger broke, in words for a person."""

from __future__ import annotations

import pytest
import requests

from malexbot.messengers.line import cause
from tests.support.settings import free_port


def test_a_number_of_the_system_is_no_word_for_a_person() -> None:
    with pytest.raises(requests.ConnectionError) as raised:
        requests.get(f"http://127.0.0.1:{free_port()}", timeout=5)
    assert cause(raised.value) == "Connection refused"


def test_the_innermost_reason_is_told() -> None:
    error = requests.ConnectionError(OSError(104, "Connection reset by peer"))
    assert cause(error) == "Connection reset by peer"


def test_what_has_no_words_tells_its_kind() -> None:
    assert cause(TimeoutError()) == "TimeoutError"
