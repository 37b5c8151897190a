"""What the demo tells can be read, whatever people post."""

from __future__ import annotations

import io
import re
import time

import pytest
from rich.cells import cell_len
from rich.console import Console

from malexbot.cli.demo.telling import KEPT, Teller, clock, fitted, plain


@pytest.mark.parametrize("text", ["short", "x" * 200, "日本語" * 30, "é\u0301", ""])
def test_a_text_is_as_wide_as_its_column(text: str) -> None:
    assert cell_len(fitted(text, 20)) == 20


def test_what_is_cut_off_shows() -> None:
    assert fitted("0123456789", 10) == "0123456789"
    assert fitted("0123456789x", 10) == "012345678…"


def test_nothing_in_a_post_commands_the_terminal() -> None:
    assert plain("a\x1b[2Jb\r\nc\u202ed\x07") == "a·[2Jb c·d·"


def test_a_line_tells_who_said_what_and_whether_it_is_kept(
    teller: Teller, paper: io.StringIO
) -> None:
    teller.said(at_s=0, who="alice", text="[red]two\nlines " + "x" * 99, mark=KEPT)
    (line,) = paper.getvalue().splitlines()
    assert "  alice      [red]two lines xxx" in line
    assert line.endswith("✓ kept")
    assert cell_len(line) <= 80


def test_the_day_is_told_of_what_was_not_said_today() -> None:
    assert re.fullmatch(r"\d\d:\d\d:\d\d ", clock(time.time()))
    assert re.fullmatch(r"\w{3} \d\d:\d\d", clock(time.time() - 86_400 * 2))


def test_a_narrow_terminal_still_shows_some_text(paper: io.StringIO) -> None:
    teller = Teller(Console(file=paper, width=20))
    teller.said(at_s=0, who="alice", text="hello there", mark=KEPT)
    assert "hello there" in paper.getvalue()


def test_a_step_tells_how_long_it_took(teller: Teller, paper: io.StringIO) -> None:
    with teller.step("wait"):
        assert paper.getvalue() == "  wait "
    assert paper.getvalue() == "  wait (0.0 s)\n"


def test_a_step_that_fails_ends_its_line(teller: Teller, paper: io.StringIO) -> None:
    with pytest.raises(KeyError), teller.step("wait"):
        raise KeyError
    assert paper.getvalue() == "  wait \n"


def test_a_prompt_stands_below_what_is_told_on_a_terminal() -> None:
    paper = io.StringIO()
    teller = Teller(Console(file=paper, width=80, force_terminal=True))
    teller.invite()
    teller.text("hello")
    teller.dismiss()
    teller.text("bye")
    assert paper.getvalue() == "> \r\x1b[2Khello\n> \r\x1b[2Kbye\n"


def test_no_prompt_and_no_colours_elsewhere(teller: Teller, paper: io.StringIO) -> None:
    teller.invite()
    teller.swallow()
    teller.title("hello")
    teller.dismiss()
    assert paper.getvalue() == "hello\n"
