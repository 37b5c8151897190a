"""The types of settings take what operators write, and say what they need."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from malexbot.config.fields import (
    Duration,
    ListenPort,
    Names,
    Port,
    Size,
    Texts,
    read_size,
    spelled,
    spelled_size,
)

DURATION: TypeAdapter[float] = TypeAdapter(Duration)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30s", 30),
        ("10m", 600),
        ("2h", 7200),
        ("1d", 86400),
        ("250ms", 0.25),
        ("1h30m", 5400),
        ("1.5 h", 5400),
        (" 7 ", 7),
        (7, 7),
        (0.5, 0.5),
        (0, 0),
    ],
)
def test_durations_are_read_as_seconds(written: Any, seconds: float) -> None:
    assert DURATION.validate_python(written) == seconds


@pytest.mark.parametrize(
    "written", ["", "s", "5 fortnights", "-5s", -5, "1:30", True, None, [5], "5s later"]
)
def test_what_is_no_duration_is_told_so(written: Any) -> None:
    with pytest.raises(ValidationError, match="needs a duration such as 30s"):
        DURATION.validate_python(written)


@pytest.mark.parametrize("written", ["9999999d", 10**12, float("inf")])
def test_a_wait_that_never_ends_is_refused(written: Any) -> None:
    with pytest.raises(ValidationError, match="needs a duration"):
        DURATION.validate_python(written)


@given(milliseconds=st.integers(0, 10**11))
def test_a_spelled_duration_is_read_back(milliseconds: int) -> None:
    seconds = milliseconds / 1000
    assert DURATION.validate_python(spelled(seconds)) == pytest.approx(seconds)


def test_durations_are_spelled_as_people_do() -> None:
    assert [spelled(seconds) for seconds in (0, 20, 90, 86400, 0.25)] == [
        "0s",
        "20s",
        "1m30s",
        "1d",
        "250ms",
    ]


def test_ports_are_taken_as_number_or_text() -> None:
    port: TypeAdapter[int] = TypeAdapter(Port)
    assert port.validate_python(8765) == port.validate_python(" 8765") == 8765
    assert TypeAdapter(ListenPort).validate_python(0) == 0
    for wrong in (0, 65536, True, "0123", "x", 1.5, None, "1_0", "٣", {}):
        with pytest.raises(ValidationError, match="needs a number from 1 to 65535"):
            port.validate_python(wrong)


def test_one_text_stands_for_a_list_of_one() -> None:
    texts: TypeAdapter[tuple[str, ...]] = TypeAdapter(Texts)
    assert texts.validate_python("a b ") == ("a b ",)
    assert texts.validate_python("") == ()
    assert texts.validate_python(["a", "b", "a"]) == ("a", "b")
    with pytest.raises(ValidationError, match="without the NUL"):
        texts.validate_python("a\0")


def test_names_are_single_lines_without_blanks_around_them() -> None:
    names: TypeAdapter[tuple[str, ...]] = TypeAdapter(Names)
    assert names.validate_python([" a ", "a", "team/b"]) == ("a", "team/b")
    with pytest.raises(ValidationError, match="one line of text"):
        names.validate_python(["a\nb"])


@pytest.mark.parametrize(
    ("written", "size"),
    [
        *((0, 0), (512, 512), ("512", 512), ("1B", 1), ("500kB", 500_000)),
        *(("100MB", 10**8), ("100 mb", 10**8), ("100M", 10**8), ("1.5GiB", 3 << 29)),
        *(("2TB", 2 * 10**12), (" 64KiB ", 1 << 16)),
    ],
)
def test_sizes_are_read_as_people_write_them(written: object, size: int) -> None:
    assert TypeAdapter(Size).validate_python(written) == size


@pytest.mark.parametrize("wrong", ["", "much", "-1", "1 PB", "1e3", True, None, [1]])
def test_what_is_no_size_says_what_is(wrong: object) -> None:
    with pytest.raises(ValidationError, match="needs a size such as 500kB"):
        TypeAdapter(Size).validate_python(wrong)


def test_a_size_beyond_all_disks_is_a_slip() -> None:
    with pytest.raises(ValidationError, match="1000TB at most"):
        TypeAdapter(Size).validate_python("1001TB")


@pytest.mark.parametrize(
    "size", ["100MB", "1536MiB", "64KiB", "1001B", "0B", "2TB", "1kB"]
)
def test_a_size_is_written_as_it_is_read(size: str) -> None:
    assert spelled_size(read_size(size)) == size
