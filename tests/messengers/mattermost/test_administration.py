from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from malexbot.errors import Permanent, Transient
from malexbot.messengers.mattermost.administration import Administration, Wanted
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.failures import Rejected
from malexbot.messengers.mattermost.link import Link
from malexbot.sandbox.fixtures import Mattermost
from tests.messengers.mattermost.scripted import Scripted, answer

WANTED = Wanted("deploy", "https://bot.example.org/slash", "STAGE", "deploy to STAGE")


@pytest.fixture
def admin(mattermost: Mattermost) -> Iterator[Administration]:
    token = mattermost.scene.add_token(mattermost.town.admin)
    link = Link(url=f"{mattermost.url}/api/v4", token=token)
    yield Administration(Client(link, patience_s=5))
    link.close()


def test_a_command_is_made_as_wanted(
    mattermost: Mattermost, admin: Administration
) -> None:
    team = mattermost.town.team
    made = admin.make(WANTED, team)
    assert made.token
    assert made.is_as(WANTED, team)
    assert admin.commands(team) == [made]


def test_what_is_not_ours_to_say_stays(
    mattermost: Mattermost, admin: Administration
) -> None:
    town = mattermost.town
    there = mattermost.acts.add_command(
        town.team, "deploy", "https://other", town.admin, username="Deployer"
    )
    (known,) = admin.commands(town.team)
    assert not known.is_as(WANTED, town.team)
    changed = admin.change(known, WANTED, town.team)
    assert changed.is_as(WANTED, town.team)
    assert (changed.id, changed.token) == (there["id"], there["token"])
    assert changed.told["username"] == "Deployer"


def test_a_new_token_makes_the_old_one_worthless(
    mattermost: Mattermost, admin: Administration
) -> None:
    made = admin.make(WANTED, mattermost.town.team)
    token = admin.new_token(made.id)
    assert token != made.token
    assert admin.commands(mattermost.town.team)[0].token == token


def test_it_is_deleted_once(mattermost: Mattermost, admin: Administration) -> None:
    made = admin.make(WANTED, mattermost.town.team)
    assert admin.delete(made.id)
    assert not admin.delete(made.id)


def test_a_name_is_taken_once_in_a_team(
    mattermost: Mattermost, admin: Administration
) -> None:
    admin.make(WANTED, mattermost.town.team)
    with pytest.raises(Rejected) as refused:
        admin.make(WANTED, mattermost.town.team)
    assert "duplicate_trigger" in refused.value.id


def test_a_bot_may_not(mattermost: Mattermost, client: Client) -> None:
    with pytest.raises(Permanent):
        Administration(client).make(WANTED, mattermost.town.team)


def test_long_words_are_cut_to_what_the_server_takes() -> None:
    told = WANTED._replace(trigger="t" * 100, help="h" * 500).as_json("team")
    assert len(told["display_name"]) == 64
    assert len(told["description"]) == 128


@pytest.mark.parametrize("body", [{}, [[]], [{"trigger": "x"}], ["x"]])
def test_what_is_not_mattermost_is_told(body: object) -> None:
    said = orjson.dumps(body)
    with Scripted(answer("200 OK", said, Content_Type="application/json")) as server:
        link = Link(url=server.url, token="t")
        with pytest.raises(Transient):
            Administration(Client(link, patience_s=0.1)).commands("team")
        link.close()
