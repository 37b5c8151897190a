"""malexbot is looked after as systemd would do it."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest

from malexbot.cli.demo import attendant as module
from malexbot.cli.demo.attendant import Attendant
from malexbot.cli.demo.telling import Teller
from malexbot.errors import MalexbotError
from tests.cli.demo.conftest import BareStage


@pytest.fixture(autouse=True)
def at_once(stage: BareStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for, and malexbot is one that was killed."""
    monkeypatch.setattr(module, "DOWN_S", 0)
    monkeypatch.setattr(module, "SHUT_S", 0)
    daemon: Any = SimpleNamespace(exit_code=-9, pid=42, log="the last words\n")
    stage._daemon = daemon


def test_what_has_died_is_started_again_and_told(
    stage: BareStage, teller: Teller, paper: io.StringIO
) -> None:
    attendant = Attendant(stage, teller)
    attendant.look()
    assert paper.getvalue() == ""
    stage.has_fallen = True
    attendant.look()
    assert "malexbot was killed (signal 9)" in paper.getvalue()
    attendant.look()
    assert stage.starts == 1
    stage.has_fallen = False
    attendant.look()
    attendant.look()
    assert paper.getvalue().count("malexbot listens (process 42)") == 1


def test_what_dies_again_and_again_ends_the_demo(
    stage: BareStage, teller: Teller
) -> None:
    attendant = Attendant(stage, teller)
    stage.has_fallen = True
    with pytest.raises(MalexbotError, match="again and again\nthe last words"):
        for _ in range(20):
            attendant.look()
    assert stage.starts == 3


def test_what_was_killed_for_long_waits_to_be_started(
    stage: BareStage, teller: Teller, paper: io.StringIO
) -> None:
    killed: list[int] = []
    stage.daemon.signal = killed.append  # type: ignore[method-assign, assignment]
    attendant = Attendant(stage, teller)
    attendant.kill(for_long=True)
    assert killed == [9]
    stage.has_fallen = True
    for _ in range(3):
        attendant.look()
    assert stage.starts == 0
    assert paper.getvalue().count("/start starts it again") == 1
    attendant.start()
    attendant.look()
    assert stage.starts == 1
    stage.has_fallen = False
    attendant.look()
    assert "malexbot listens (process 42)" in paper.getvalue()
    stage.has_fallen = True
    attendant.look()
    attendant.look()
    assert stage.starts == 2


def test_a_cut_line_is_told_and_opened_again(
    stage: BareStage, teller: Teller, paper: io.StringIO
) -> None:
    attendant = Attendant(stage, teller)
    attendant.cut()
    websocket = "GET /api/v4/websocket"
    assert stage.mattermost.faults.failure(websocket) is not None
    stage.is_here = False
    attendant.look()
    assert "line to Mattermost is cut" in paper.getvalue()
    assert stage.mattermost.faults.failure(websocket) is None
    stage.is_here = True
    attendant.look()
    assert "malexbot listens" in paper.getvalue()
