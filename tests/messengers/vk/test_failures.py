from __future__ import annotations

from typing import Any

import pytest

from malexbot.errors import Permanent, Transient, Uncertain
from malexbot.messengers.vk.failures import WAITS_S, read, refusal


@pytest.mark.parametrize("code", [1, 6, 9, 10, 29, 32, 43])
def test_what_passes_is_transient(code: int) -> None:
    error = refusal("users.get", {"error_code": code}, is_repeatable=True)
    assert isinstance(error, Transient)
    assert error.retry_after_s == WAITS_S[code]


@pytest.mark.parametrize(
    "code", [3, 5, 7, 14, 15, 17, 24, 27, 28, 100, 113, 901, 917, 925, 945, 1116, 9999]
)
def test_what_does_not_pass_is_permanent(code: int) -> None:
    error = refusal("messages.send", {"error_code": code}, is_repeatable=False)
    assert isinstance(error, Permanent)


@pytest.mark.parametrize(("code", "is_uncertain"), [(1, True), (10, True), (6, False)])
def test_only_what_may_have_been_done_is_uncertain(
    code: int, is_uncertain: bool
) -> None:
    error = refusal("messages.send", {"error_code": code}, is_repeatable=False)
    assert isinstance(error, Uncertain) is is_uncertain


@pytest.mark.parametrize("told", [None, 7, "x", [], {}, {"error_code": "6"}])
def test_an_error_that_tells_nothing_may_pass(told: Any) -> None:
    assert isinstance(refusal("users.get", told, is_repeatable=True), Transient)


def test_both_ways_to_write_an_error_are_read() -> None:
    whole = read({"error_code": 901, "error_msg": "no"})
    assert whole == read({"code": 901, "description": "no"})


@pytest.mark.parametrize(
    ("code", "cure"), [(5, "vk.token"), (14, "captcha"), (917, "not in that chat")]
)
def test_an_error_tells_what_to_do(code: int, cure: str) -> None:
    error = refusal("x", {"error_code": code, "error_msg": "no"}, is_repeatable=True)
    assert cure in str(error) and str(error).startswith(f"VK, x: {code} no")
