"""`malexbot commands`: what the server knows, and what malexbot keeps of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from malexbot.cli import main
from malexbot.messengers.mattermost.administration import Administration, Known
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.link import Link
from malexbot.sandbox.fixtures import Mattermost, mattermost
from malexbot.storage.commands import DatabaseCommands
from malexbot.storage.database import Database
from tests.cli.test_database import config

__all__ = ["mattermost"]
Run = Callable[..., Result]

PLUGIN = """
from malexbot import command


@command("/greet", "greet NAME nicely", usage="NAME")
def greet(event, bot):
    bot.answer("hello")
"""
URL = "https://bot.example.org"


@pytest.fixture
def token(mattermost: Mattermost, tmp_path: Path) -> Path:
    """The file with the admin's."""
    file = tmp_path / "admin.token"
    file.touch(mode=0o600)
    file.write_text(mattermost.scene.add_token(mattermost.town.admin) + "\n")
    return file


@pytest.fixture
def run(database: Database, mattermost: Mattermost, token: Path, tmp_path: Path) -> Run:
    (tmp_path / "greet.py").write_text(PLUGIN)

    def invoke(
        *words: str, as_admin: bool = True, public_url: str | None = URL, **more: Any
    ) -> Result:
        file = config(database.dsn, tmp_path / "malexbot.yaml")
        settings = yaml.safe_load(file.read_text())
        settings["mattermost"] = {
            "http_host": mattermost.url,
            "token": mattermost.town.token,
        }
        settings["backend"] = {"public_url": public_url}
        settings["plugins"] = ["greet.py"]
        file.write_text(yaml.safe_dump(settings))
        given = ["--admin-token-file", str(token)] if as_admin else []
        line = ["commands", words[0], "--config", str(file), *given, *words[1:]]
        return CliRunner().invoke(main, line, **more)

    return invoke


@pytest.fixture
def kept(database: Database) -> DatabaseCommands:
    return DatabaseCommands(database)


class Server:
    """The server's own word, as its administrator is told it."""

    def __init__(self, mattermost: Mattermost) -> None:
        token = mattermost.scene.add_token(mattermost.town.admin)
        self.link = Link(url=f"{mattermost.url}/api/v4", token=token)
        self.commands = Administration(Client(self.link))
        self.team = mattermost.town.team

    def there(self, team_id: str = "") -> dict[str, Known]:
        """What it has, by trigger."""
        found = self.commands.commands(team_id or self.team)
        return {known.trigger: known for known in found}

    def drop(self, trigger: str) -> None:
        assert self.commands.delete(self.there()[trigger].id)


@pytest.fixture
def server(mattermost: Mattermost) -> Iterator[Server]:
    made = Server(mattermost)
    yield made
    made.link.close()


def is_ours(server: Server, kept: DatabaseCommands, trigger: str) -> bool:
    """Yes: a call of it would be let in."""
    token = server.there()[trigger].token
    return any(each.accepts(token) for each in kept.find(trigger, server.team))


def test_what_malexbot_can_do_is_known_to_the_server(
    run: Run, server: Server, kept: DatabaseCommands
) -> None:
    told = run("register")
    assert told.exit_code == 0, told.output
    assert "malex: /greet is made\n" in told.stdout
    assert "malex: /malex is made\n" in told.stdout
    greet = server.there()["greet"]
    assert greet.url == f"{URL}/slash"
    assert greet.told["method"] == "P"
    assert greet.told["auto_complete"]
    assert "nicely" in greet.told["auto_complete_desc"]
    assert is_ours(server, kept, "greet")
    assert is_ours(server, kept, "malex")


def test_it_may_be_done_as_often_as_one_likes(
    run: Run, server: Server, kept: DatabaseCommands
) -> None:
    run("register")
    before = server.there()["greet"].token
    told = run("register")
    assert told.exit_code == 0
    assert told.stdout.count("is as it should be") == 2
    assert server.there()["greet"].token == before
    assert len(kept.all()) == 2


def test_what_has_changed_is_changed_there(
    run: Run, server: Server, kept: DatabaseCommands
) -> None:
    run("register")
    before = server.there()["greet"].token
    told = run("register", public_url="https://new.example.org")
    assert "malex: /greet is changed" in told.stdout
    assert server.there()["greet"].url == "https://new.example.org/slash"
    assert server.there()["greet"].token == before
    assert is_ours(server, kept, "greet")


def test_one_of_them_can_be_named(run: Run, server: Server) -> None:
    told = run("register", "/greet")
    assert told.exit_code == 0
    assert set(server.there()) == {"greet"}


def test_a_name_that_no_plugin_has_is_told(run: Run, server: Server) -> None:
    told = run("register", "/gret")
    assert told.exit_code == 1
    assert "did you mean greet?" in told.stderr
    assert not server.there()


def test_somebody_else_s_command_stays_theirs(
    run: Run, mattermost: Mattermost, kept: DatabaseCommands, server: Server
) -> None:
    town = mattermost.town
    url = "https://other.example.org/x"
    mattermost.acts.add_command(town.team, "greet", url, town.admin)
    told = run("register")
    assert told.exit_code == 1
    assert "--take-over" in told.stderr
    assert "not registered everywhere: /greet" in told.stderr
    assert server.there()["greet"].url == url
    assert not is_ours(server, kept, "greet")
    assert is_ours(server, kept, "malex"), "the others are"
    told = run("register", "--take-over")
    assert told.exit_code == 0
    assert server.there()["greet"].url == f"{URL}/slash"
    assert is_ours(server, kept, "greet")


def test_one_that_was_made_by_hand_for_us_is_ours(
    run: Run, mattermost: Mattermost, kept: DatabaseCommands, server: Server
) -> None:
    town = mattermost.town
    mattermost.acts.add_command(town.team, "greet", f"{URL}/slash", town.admin)
    assert run("register").exit_code == 0
    assert is_ours(server, kept, "greet")


def test_what_is_no_more_on_the_server_is_forgotten(
    run: Run, server: Server, kept: DatabaseCommands
) -> None:
    run("register")
    server.drop("greet")
    told = run("register", "/malex")
    assert "/greet is no more on the server: forgotten" in told.stdout
    assert [each.trigger for each in kept.all()] == ["malex"]


def test_a_rehearsal_changes_nothing(
    run: Run, server: Server, kept: DatabaseCommands
) -> None:
    told = run("register", "--dry-run")
    assert told.exit_code == 0
    assert "/greet would be made" in told.stdout
    assert not server.there() and not kept.all()


def test_without_an_address_of_ours_nothing_is_registered(run: Run) -> None:
    told = run("register", public_url=None)
    assert told.exit_code == 78
    assert "backend.public_url" in told.stderr


def test_a_bot_may_not(run: Run, mattermost: Mattermost, token: Path) -> None:
    token.write_text(mattermost.town.token)
    told = run("register")
    assert told.exit_code == 1
    assert "may not manage slash commands" in told.stderr


def test_a_token_that_is_refused_is_told(run: Run, token: Path) -> None:
    token.write_text("x" * 26)
    told = run("register")
    assert told.exit_code == 1
    assert "refuses the token" in told.stderr
    assert "x" * 26 not in told.output


@pytest.mark.parametrize("text", ["", "\n", "two words", "a\nb", "\u00e9"])
def test_a_file_without_a_token_is_told(run: Run, token: Path, text: str) -> None:
    token.write_text(text)
    told = run("register")
    assert told.exit_code == 1
    assert "token" in told.stderr


def test_a_token_that_others_may_read_is_told(run: Run, token: Path) -> None:
    token.chmod(0o644)
    told = run("register")
    assert told.exit_code == 0
    assert f"chmod 600 {token}" in told.stderr


def test_a_team_can_be_named(run: Run, mattermost: Mattermost, server: Server) -> None:
    scene, admin = mattermost.scene, mattermost.town.admin
    other = scene.add_team(name="other", creator_id=admin)
    told = run("register", "--team", "other")
    assert told.exit_code == 0, told.output
    assert set(server.there(other)) == {"malex", "greet"}
    assert not server.there()
    told = run("register", "--team", "nobodys")
    assert told.exit_code == 1
    assert "no team 'nobodys'" in told.stderr


def test_they_are_listed(run: Run) -> None:
    told = run("list", as_admin=False)
    assert told.exit_code == 0
    assert told.stdout == ""
    assert "not registered: /malex, /greet" in told.stderr
    run("register", "/greet")
    told = run("list", as_admin=False)
    assert told.stdout == "/greet  malex\n"
    assert "not registered: /malex" in told.stderr
    rows = json.loads(run("list", "--json", as_admin=False).stdout)
    assert [row["command"] for row in rows] == ["/greet"]


def test_they_are_taken_back(run: Run, server: Server, kept: DatabaseCommands) -> None:
    run("register")
    told = run("forget", "/greet")
    assert told.exit_code == 0
    assert told.stdout == "malex: /greet is taken back\n"
    assert set(server.there()) == {"malex"}
    assert [each.trigger for each in kept.all()] == ["malex"]
    told = run("forget", "/greet")
    assert told.exit_code == 1
    assert "is not registered" in told.stderr


def test_they_are_taken_back_also_if_the_server_has_them_no_more(
    run: Run, server: Server, kept: DatabaseCommands
) -> None:
    run("register")
    server.drop("greet")
    assert run("forget", "greet").exit_code == 0
    assert [each.trigger for each in kept.all()] == ["malex"]


def test_they_can_be_left_on_the_server(
    run: Run, server: Server, kept: DatabaseCommands
) -> None:
    run("register")
    told = run("forget", "--only-here", "/greet", as_admin=False)
    assert told.exit_code == 0
    assert "greet" in server.there()
    assert not is_ours(server, kept, "greet")


def test_one_has_to_say_where_they_are_taken_back(run: Run) -> None:
    assert run("forget", "/greet", as_admin=False).exit_code == 2
    assert run("forget", "/greet", "--only-here").exit_code == 2


def test_no_token_is_ever_shown(run: Run, server: Server) -> None:
    told = run("register").output + run("register").output
    told += run("list", as_admin=False).output
    for row in server.there().values():
        assert row.token not in told
