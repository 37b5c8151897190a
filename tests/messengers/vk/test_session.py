from __future__ import annotations

from typing import Any

import pytest

from malexbot.errors import Transient
from malexbot.messengers.vk.session import Session, read_session, read_ts

GOOD: dict[str, Any] = {"server": "https://lp.vk.com/x", "key": "k", "ts": "7"}


def test_a_session_is_read() -> None:
    expected = Session("https://lp.vk.com/x", "k", "7", 5.0)
    assert read_session(GOOD, 5.0) == expected


def test_a_server_without_a_scheme_is_asked_safely() -> None:
    told = {**GOOD, "server": "lp.vk.com/x"}
    assert read_session(told, 5.0).server == "https://lp.vk.com/x"


@pytest.mark.parametrize("name", ["server", "key", "ts"])
@pytest.mark.parametrize("odd", [None, [], {}, True])
def test_what_is_no_session_may_pass(name: str, odd: Any) -> None:
    with pytest.raises(Transient):
        read_session({**GOOD, name: odd}, 5.0)


@pytest.mark.parametrize(
    ("told", "ts"),
    [("7", "7"), (7, "7"), (0, "0"), (-1, None), ("", None), ("٣", None)],
)
def test_a_ts_is_a_number_either_way(told: Any, ts: str | None) -> None:
    assert read_ts(told) == ts
