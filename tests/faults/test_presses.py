"""Of the commands that people gave the numbers are judged, not how many there are."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from malexbot.plugins.rehearsal import Rehearsal
from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.town import Town, build
from malexbot.storage.database import Database
from tests.faults.presses import PLUGIN, TRIGGER, Presses

KEPT = "INSERT INTO store (space, key, value) VALUES ('once', %s, '1')"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """It need not be started: nobody comes by the line."""
    sandbox = Sandbox()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def town(sandbox: Sandbox) -> Town:
    return build(sandbox.scene)


@pytest.fixture
def presses(sandbox: Sandbox, town: Town) -> Presses:
    return Presses(
        acts=sandbox.acts, ledger=sandbox.ledger, town=town, choice=random.Random(1)
    )


@pytest.fixture(autouse=True)
def done(sandbox: Sandbox, town: Town, database: Database) -> None:
    """The first one, and the third."""
    for number in ("1", "3"):
        for what in ("button", "pressed"):
            sandbox.scene.post(town.channel, town.bot, f"{what} {number}")
        with database.transaction() as cursor:
            cursor.execute(KEPT, (number,))


def test_one_that_was_refused_may_be_done_once(
    sandbox: Sandbox, town: Town, presses: Presses, database: Database
) -> None:
    presses.accepted += ["1"]
    assert [*presses.complaints(database)] == []
    sandbox.scene.post(town.channel, town.bot, "button 3")
    told = [*presses.complaints(database)]
    assert told == ["done twice: button 3, 2 times"]


def test_one_that_was_refused_stands_for_none_that_was_accepted(
    presses: Presses, database: Database
) -> None:
    presses.accepted += ["1", "2"]
    assert [*presses.complaints(database)] == ["never done: command 2"]
    assert not presses.is_settled()


def test_all_that_comes_of_a_command_names_its_number(tmp_path: Path) -> None:
    file = tmp_path / f"{TRIGGER}.py"
    file.write_text(PLUGIN)
    stage = Rehearsal(file)
    turn = stage.command(f"/{TRIGGER} 17")
    (button,), (pressed,) = turn.posts, turn.press("Press", by="bob").posts
    assert [button.text, pressed.text] == ["button 17", "pressed 17"]
    assert stage.store == {"17": 1}
