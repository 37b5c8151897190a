"""What a person and a program read."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence

import pytest

from malexbot.cli.doctor import telling
from malexbot.cli.doctor.checks import Finding, State
from malexbot.cli.doctor.telling import as_dict, is_well, show, summary
from tests.cli.doctor.conftest import Patient

OK = Finding("clock", State.OK, "0 s apart")
BETTER = Finding("TLS", State.ADVICE, "none", "use some")
WRONG = Finding("bot", State.FAULT, "a person", "make a bot")
SKIPPED = [
    Finding(name, State.UNASKED, "not asked, since it is down") for name in ("a", "b")
]


def printed(
    findings: Sequence[Finding], capsys: pytest.CaptureFixture[str]
) -> list[str]:
    show(findings)
    return capsys.readouterr().out.splitlines()


def test_each_has_its_mark_and_a_cure_below(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed([OK, BETTER, WRONG], capsys) == [
        "✓ clock        0 s apart",
        "! TLS          none",
        "    -> use some",
        "✗ bot          a person",
        "    -> make a bot",
    ]


def test_what_was_not_asked_for_one_reason_is_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert printed([*SKIPPED, OK, SKIPPED[0]], capsys) == [
        "– a, b: not asked, since it is down",
        "✓ clock        0 s apart",
        "– a            not asked, since it is down",
    ]
    assert [c["name"] for c in as_dict(SKIPPED)["checks"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("findings", "told"),
    [
        ([OK, *SKIPPED], "malexbot can do its work"),
        ([OK, BETTER], "malexbot can do its work, 1 thing could be better"),
        ([OK, WRONG], "malexbot cannot do all its work: 1 thing is wrong"),
        ([WRONG, WRONG], "malexbot cannot do all its work: 2 things are wrong"),
    ],
)
def test_the_last_line_says_how_it_is(findings: Sequence[Finding], told: str) -> None:
    assert summary(findings) == told
    assert is_well(findings) == (WRONG not in findings)


def test_the_object_has_what_that_of_status_has_and_the_checks() -> None:
    told = as_dict([OK, BETTER, WRONG])
    assert told["findings"] == [{"what": "a person", "cure": "make a bot"}]
    assert not told["is_well"]
    assert told["checks"][1] == {
        "name": "TLS",
        "state": "advice",
        "what": "none",
        "cure": "use some",
    }
    json.dumps(told)


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_lines_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    show([Finding("token", State.FAULT, "refused " * 12, "write it " * 12)])
    lines = [line.replace("\x1b[0m", "") for line in terminal.getvalue().splitlines()]
    assert len(lines) > 3
    assert all(len(line) <= 60 + len("\x1b[31m\x1b[1m") for line in lines)
    assert lines[1].startswith(" " * 15 + "refused")
    assert lines[-1].startswith(" " * 7 + "write") or "it" in lines[-1]


def test_no_terminal_gets_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    long = Finding("token", State.FAULT, "refused " * 40, "write it " * 40)
    assert len(printed([long], capsys)) == 2


def test_a_terminal_without_the_signs_gets_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="koi8-r"))
    show([OK, BETTER, WRONG])
    sys.stdout.flush()
    assert [line[:1] for line in raw.getvalue().splitlines()][::2] == [b"+", b" ", b" "]
    assert telling.PLAIN.keys() == telling.MARKS.keys()


def test_what_is_wrong_is_seen_in_colour_and_only_on_a_terminal(
    patient: Patient,
) -> None:
    patient.set(token="x" * 26)
    assert "\x1b[31m" in patient.invoke(color=True).stdout
    result = patient.invoke()
    assert "\x1b" not in result.stdout
    assert result.exit_code == 1
    assert "✗ token" in result.stdout


def test_no_secret_is_shown(patient: Patient) -> None:
    patient.set(token="s3cr3tt0k3n")
    assert "s3cr3tt0k3n" not in patient.invoke().output


def test_a_bad_configuration_is_told_as_check_tells_it(patient: Patient) -> None:
    patient.blocks["mattermost"] = {"http_host": "x y"}
    result = patient.invoke()
    assert result.exit_code == 78
    assert "mattermost.http_host" in result.stderr
    assert result.stdout == ""
