from __future__ import annotations

import json
import time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from malexbot.messengers.mattermost.depth import MOST_LEVELS, cut_off, shallow

Values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('[]{}",:\\aü\n'),
    lambda parts: st.lists(parts) | st.dictionaries(st.text('[{"\\'), parts),
)


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@given(Values)
def test_what_is_not_deep_stays_as_it_is(value: Any) -> None:
    content = json.dumps(value).encode()
    assert cut_off(content) == content
    assert shallow(value) == value


@pytest.mark.parametrize("levels", [MOST_LEVELS + 1, 1_000, 10_000])
def test_what_is_deep_is_cut_off_and_the_rest_stays(levels: int) -> None:
    deep = b'{"a":{"x":%s,"y":"]"},"b":[[],"[{"]}' % nested(levels)
    told = json.loads(cut_off(deep))
    assert told["a"]["y"] == "]"
    assert told["b"] == [[], "[{"]
    assert orjson.loads(orjson.dumps(told)) == told


def test_exactly_so_many_levels_are_left() -> None:
    assert cut_off(nested(MOST_LEVELS)) == nested(MOST_LEVELS)
    assert cut_off(nested(MOST_LEVELS + 1)) == (
        nested(MOST_LEVELS)[:MOST_LEVELS] + b"null" + nested(MOST_LEVELS)[MOST_LEVELS:]
    )
    value = orjson.loads(nested(900))
    assert orjson.dumps(shallow(value)) == cut_off(nested(900))


@pytest.mark.parametrize(
    "content", [b"[" * 10_000, b"]" * 10_000, b'"[', b"", b"\xff["]
)
def test_what_is_no_json_stays_none(content: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        json.loads(cut_off(content))


@pytest.mark.parametrize("told", [b'{"id": "' + b"x" * 50_000, b'"' + rb"\"" * 50_000])
def test_a_text_without_an_end_is_read_once(told: bytes) -> None:
    """As an error page has it, which is no JSON at all."""
    started = time.thread_time()
    assert cut_off(told) == told
    assert time.thread_time() - started < 1
