from __future__ import annotations

import pytest

from malexbot.storage.readable import readable


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\0b", "a\\0b"),
        ("a\ud83d", "a\\ud83d"),
        ("ё \U0001f600\n", "ё \U0001f600\n"),
    ],
)
def test_what_cannot_be_kept_is_written_out(text: str, kept: str) -> None:
    assert readable(text) == kept
