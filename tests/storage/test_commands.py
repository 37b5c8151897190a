"""The slash commands that we know, and who may call them."""

from __future__ import annotations

import pytest

from malexbot.ports import Commands, KeptCommand
from malexbot.storage.commands import DatabaseCommands
from malexbot.storage.database import Database
from tests.storage.conftest import Look
from tests.support.commands import MemoryCommands
from tests.support.postgres import Server

TOKEN = "yk3k9pw3jtf7pdd8eqcj5bcwxe"


def command(id: str = "c1", token: str = TOKEN, **values: str) -> KeptCommand:
    known = {"team_id": "t1", "trigger": "deploy"}
    return KeptCommand.of(id=id, token=token, **{**known, **values})


@pytest.fixture(params=["real", "memory"])
def commands(request: pytest.FixtureRequest, postgres: Server) -> Commands:
    if request.param == "memory":
        return MemoryCommands()
    return DatabaseCommands(request.getfixturevalue("database"))


def test_it_is_known_again_by_its_token_alone(commands: Commands) -> None:
    commands.keep(command())
    (found,) = commands.find("deploy", "t1")
    assert found.accepts(TOKEN)
    for other in ("", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\ud83d", "\0"):
        assert not found.accepts(other)


def test_the_token_itself_is_kept_nowhere(database: Database, look: Look) -> None:
    commands = DatabaseCommands(database)
    commands.keep(command())
    assert TOKEN not in str(look("SELECT * FROM commands"))
    assert TOKEN not in repr(commands.all())


def test_each_team_and_word_has_its_own(commands: Commands) -> None:
    commands.keep(command("c1"))
    commands.keep(command("c2", team_id="t2"))
    commands.keep(command("c3", trigger="ask"))
    assert [each.id for each in commands.find("deploy", "t1")] == ["c1"]
    assert [each.id for each in commands.find("deploy", "t2")] == ["c2"]
    assert commands.find("ask", "t2") == []
    assert [each.id for each in commands.all()] == ["c3", "c1", "c2"]


def test_a_new_token_takes_the_place_of_the_old_one(commands: Commands) -> None:
    commands.keep(command())
    commands.keep(command(token="other"))
    (found,) = commands.all()
    assert found.accepts("other") and not found.accepts(TOKEN)


def test_what_is_forgotten_is_unknown(commands: Commands) -> None:
    commands.keep(command())
    assert commands.forget("c1")
    assert not commands.forget("c1")
    assert commands.all() == []


def test_those_of_another_server_are_not_ours(database: Database) -> None:
    DatabaseCommands(database, "other").keep(command())
    assert DatabaseCommands(database).all() == []
    assert not DatabaseCommands(database).forget("c1")
