from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from malexbot.web.bodies import FORM, JSON, MOST_FIELDS, MOST_LEVELS, check, is_shallow
from malexbot.web.refusals import Refused


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    "body, kind, coding, status",
    [
        (b"", "", "", None),
        (b"", "text/plain", "gzip", None),
        (b"a=b", FORM, "", None),
        (b"{}", JSON, "identity", None),
        (b"{}", JSON, "gzip", 415),
        (b"<a/>", "text/xml", "", 415),
        (b"{}", "", "", 415),
        (b"&".join([b"a=b"] * MOST_FIELDS), FORM, "", None),
        (b"&".join([b"a=b"] * (MOST_FIELDS + 1)), FORM, "", 400),
        (b"&" * 10_000, FORM, "", 400),
        (nested(MOST_LEVELS), JSON, "", None),
        (nested(MOST_LEVELS + 1), JSON, "", 400),
        (nested(500_000), JSON, "", 400),
        (b'{"a":' * 500 + b"1" + b"}" * 500, JSON, "", 400),
        (b'"%s"' % (b"[" * 1000), JSON, "", None),
        (b"{", JSON, "", 400),
        (b"nul", JSON, "", 400),
        (b"\xff", JSON, "", 400),
    ],
)
def test_what_may_come_in(
    body: bytes, kind: str, coding: str, status: int | None
) -> None:
    with nullcontext() if status is None else pytest.raises(Refused) as refused:
        check(body, kind=kind, coding=coding, kinds=(FORM, JSON))
    if status is not None:
        assert refused is not None and refused.value.status == status


def test_who_takes_any_kind_is_still_spared_bad_json() -> None:
    check(b"<a/>", kind="text/xml", coding="", kinds=())
    for kind in (JSON, "application/vnd.github+json"):
        with pytest.raises(Refused, match="no JSON"):
            check(b"{", kind=kind, coding="", kinds=())


@pytest.mark.parametrize("levels", [1, 2, 5])
def test_levels_are_counted_through_lists_and_maps(levels: int) -> None:
    found: Any = 1
    for level in range(levels):
        found = [found, 2] if level % 2 else {"a": found, "b": "c"}
    assert is_shallow(found, levels)
    assert not is_shallow(found, levels - 1)
