"""What a message says, and whom it may ping."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from malexbot.cli.send import words as module
from malexbot.cli.send.words import MOST_CHARACTERS, words
from malexbot.errors import Permanent

QUIET = "@\N{ZERO WIDTH SPACE}"


def test_it_may_ping_everybody_if_that_is_meant() -> None:
    assert words(["@all", "up"], None, (), is_loud=True) == "@all up"
    assert words(["@all", "up"], None, (), is_loud=False) == f"{QUIET}all up"


def test_a_template_is_filled_in(tmp_path: Path) -> None:
    file = tmp_path / "alert.txt"
    file.write_text("{{ host }} is {% if up == 'no' %}down{% endif %}, @here\n")
    said = words((), file, ["host=web=1", "up=no"], is_loud=False)
    assert said == f"web=1 is down, {QUIET}here"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ hots }}", "'hots' is unknown; did you mean 'host'"),
        ("{{ event.text }}", "'event' is unknown; a rule knows `host`"),
        ("{{ host.__class__ }}", "alert.txt: "),
        ("{% for", "is no rule"),
    ],
)
def test_what_is_wrong_with_a_template_is_told(
    tmp_path: Path, text: str, why: str
) -> None:
    file = tmp_path / "alert.txt"
    file.write_text(text)
    with pytest.raises(Permanent) as raised:
        words((), file, ["host=web1"], is_loud=False)
    assert why in str(raised.value) and "--set" in str(raised.value)


def test_a_file_that_is_no_text_is_no_template(tmp_path: Path) -> None:
    file = tmp_path / "alert.bin"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(Permanent, match="cannot read"):
        words((), file, (), is_loud=False)


@pytest.mark.parametrize(
    ("text", "values"),
    [(["x"], []), ([], ["host"]), ([], ["=x"]), ([], ["1=x"])],
)
def test_what_does_not_go_together_is_refused(
    tmp_path: Path, text: list[str], values: list[str]
) -> None:
    with pytest.raises(click.UsageError):
        words(text, tmp_path, values, is_loud=False)


def test_values_without_a_template_are_refused() -> None:
    with pytest.raises(click.UsageError, match="--template"):
        words(["x"], None, ["a=b"], is_loud=False)


def test_what_is_far_too_long_is_for_a_file() -> None:
    with pytest.raises(Permanent, match="--file"):
        words(["x" * (MOST_CHARACTERS + 1)], None, (), is_loud=False)


def test_blanks_are_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "read", lambda: " \n\n")
    assert words(["-"], None, (), is_loud=False) == ""
    monkeypatch.setattr(module, "read", lambda: "\n  code\n\n")
    assert words(["-"], None, (), is_loud=False) == "  code"
