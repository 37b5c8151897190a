"""Slash commands: who may make them, and what of them who may see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from malexbot.sandbox.fixtures import Mattermost
from tests.sandbox.clients import Client, Rest
from tests.sandbox.integration import Integration, Reply

FIELD = {"title": "n", "value": "5", "short": True}


@pytest.fixture
def integration() -> Iterator[Integration]:
    with Integration() as played:
        yield played


@pytest.fixture
def given(mattermost: Mattermost, integration: Integration) -> dict[str, Any]:
    """A command as its owner writes it down."""
    return {
        "team_id": mattermost.town.team,
        "trigger": "Deploy",
        "method": "P",
        "url": integration.url,
        "auto_complete": True,
        "auto_complete_hint": "[stage]",
    }


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"trigger": ""}, "model.command.is_valid.trigger.app_error"),
        ({"trigger": "/deploy"}, "model.command.is_valid.trigger.app_error"),
        ({"trigger": "de ploy"}, "model.command.is_valid.trigger.app_error"),
        ({"method": "X"}, "model.command.is_valid.method.app_error"),
        ({"url": "ftp://x"}, "model.command.is_valid.url_http.app_error"),
    ],
)
def test_a_command_of_nonsense_is_refused(
    admin: Rest, given: dict[str, Any], wrong: dict[str, str], refusal: str
) -> None:
    assert admin.post("/commands", given | wrong)["id"] == refusal


def test_commands_come_change_and_go(admin: Rest, given: dict[str, Any]) -> None:
    made = admin.post("/commands", given)
    assert (made["trigger"], made["auto_complete"]) == ("deploy", True)
    changed = given | {"id": made["id"], "description": "new", "auto_complete": False}
    told = admin.put(f"/commands/{made['id']}", changed)
    assert (told["description"], told["token"]) == ("new", made["token"])
    renewed = admin.put(f"/commands/{made['id']}/regen_token")
    assert renewed["token"] != made["token"]
    assert admin.get(f"/commands/{made['id']}")["token"] == renewed["token"]
    assert admin.delete(f"/commands/{made['id']}") == {"status": "OK"}
    assert admin.get(f"/commands/{made['id']}")["status_code"] == 404
    assert admin.post("/commands", given)["id"] != made["id"]


def test_a_command_stays_in_its_team(admin: Rest, given: dict[str, Any]) -> None:
    made = admin.post("/commands", given)
    moved = given | {"id": made["id"], "team_id": "x" * 26}
    told = admin.put(f"/commands/{made['id']}", moved)
    assert told["id"] == "api.command.team_mismatch.app_error"


def test_who_may_not_manage_them_sees_only_how_they_are_used(
    mattermost: Mattermost, admin: Rest, alice: Rest, given: dict[str, Any]
) -> None:
    made = admin.post("/commands", given)
    query = f"?team_id={mattermost.town.team}"
    (seen,) = alice.get(f"/commands{query}")
    assert (seen["trigger"], seen["auto_complete_hint"]) == ("deploy", "[stage]")
    assert (seen["token"], seen["url"]) == ("", "")
    assert alice.get(f"/commands{query}&custom_only=true")["status_code"] == 403
    for method, path in (("GET", ""), ("DELETE", ""), ("PUT", "/regen_token")):
        refused = alice(method, f"/commands/{made['id']}{path}")
        assert refused.status_code == 404


def test_an_answer_that_cannot_be_posted_is_told_to_who_typed(
    alice: Rest,
    admin: Rest,
    mattermost: Mattermost,
    integration: Integration,
    given: dict[str, Any],
) -> None:
    admin.post("/commands", given)
    integration.will(Reply.of(response_type="in_channel", text="x" * 16_384))
    typed = {"channel_id": mattermost.town.channel, "command": "/deploy"}
    told = alice.post("/commands/execute", typed)
    assert told["id"] == "api.command.execute_command.create_post_failed.app_error"


def test_an_answer_goes_to_another_channel_only_if_one_is_in_it(
    alice: Rest,
    admin: Rest,
    mattermost: Mattermost,
    integration: Integration,
    given: dict[str, Any],
) -> None:
    town, scene = mattermost.town, mattermost.scene
    admin.post("/commands", given)
    closed = scene.add_channel(town.team, "closed", town.admin, type="P")
    for channel_id, count in ((closed, 0), (town.second, 1)):
        reply = Reply.of(response_type="in_channel", text="hi", channel_id=channel_id)
        integration.will(reply)
        typed = {"channel_id": town.channel, "command": "/deploy"}
        alice.post("/commands/execute", typed)
        assert len(mattermost.ledger.entries(channel_id=channel_id)) == count


def test_slacks_words_are_read_unless_they_are_not_to_be(
    admin: Rest,
    mattermost: Mattermost,
    integration: Integration,
    client: Client,
    given: dict[str, Any],
) -> None:
    town = mattermost.town
    admin.post("/commands", given)
    text = f"<http://x|here> <!channel> <@{town.bob}> <@nobody>"
    fields = [FIELD | {"value": 5}, "nonsense"]
    for skips, shown in (
        (False, "[here](http://x) @channel @bob <@nobody>"),
        (True, text),
    ):
        reply = {"text": text, "response_type": "in_channel"}
        card = {"text": text, "fields": fields}
        integration.will(
            Reply.of(**reply, skip_slack_parsing=skips, attachments=[card])
        )
        mattermost.acts.execute(town.alice, town.channel, "/deploy")
        post = json.loads(client.until("posted")["data"]["post"])
        (drawn,) = post["props"]["attachments"]
        assert (post["message"], drawn["text"]) == (shown, shown)
        assert skips or drawn["fields"] == [FIELD]
