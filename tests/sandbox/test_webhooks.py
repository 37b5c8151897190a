"""Webhooks: who may make them, where they may post, whom they tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from malexbot.sandbox.fixtures import Mattermost
from tests.sandbox.clients import PATIENCE_S, Client, Rest, message
from tests.sandbox.integration import Integration, Reply


@pytest.fixture
def integration() -> Iterator[Integration]:
    with Integration() as played:
        yield played


def post(url: str, **body: Any) -> requests.Response:
    return requests.post(url, json=body, timeout=PATIENCE_S)


@pytest.mark.parametrize("kind", ["incoming", "outgoing"])
def test_webhooks_come_and_go_by_the_hands_of_an_admin(
    mattermost: Mattermost, admin: Rest, alice: Rest, kind: str
) -> None:
    town = mattermost.town
    given = {
        "team_id": town.team,
        "channel_id": town.channel,
        "callback_urls": ["http://127.0.0.1:1"],
        "display_name": "ours",
    }
    assert alice.post(f"/hooks/{kind}", given)["status_code"] == 403
    made = admin.post(f"/hooks/{kind}", given)
    path = f"/hooks/{kind}/{made['id']}"
    assert admin.get(path) == made
    assert admin.get(f"/hooks/{kind}") == [made]
    assert alice.get(f"/hooks/{kind}") == []
    assert alice.delete(path)["status_code"] == 403
    assert admin.delete(path) == {"status": "OK"}
    assert admin.get(path)["status_code"] == 404


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"callback_urls": []}, "model.outgoing_hook.is_valid.callback.app_error"),
        ({"channel_id": ""}, "api.webhook.create_outgoing.triggers.app_error"),
        ({"channel_id": "private"}, "api.webhook.create_outgoing.not_open.app_error"),
        (
            {"trigger_words": "word"},
            "api.context.invalid_body_param.app_error",
        ),
    ],
)
def test_an_outgoing_webhook_of_nonsense_is_refused(
    mattermost: Mattermost, admin: Rest, wrong: dict[str, Any], refusal: str
) -> None:
    town = mattermost.town
    given = {"team_id": town.team, "channel_id": town.channel}
    given |= {"callback_urls": ["http://x"], **wrong}
    if given["channel_id"] == "private":
        given["channel_id"] = town.private
    assert admin.post("/hooks/outgoing", given)["id"] == refusal


def test_an_outgoing_webhook_gets_a_new_token(
    mattermost: Mattermost, admin: Rest, integration: Integration
) -> None:
    town = mattermost.town
    url, words = integration.url, ["hey"]
    old = mattermost.acts.add_outgoing_hook(town.team, url, town.admin, words=words)
    (hook,) = admin.get("/hooks/outgoing")
    new = admin.post(f"/hooks/outgoing/{hook['id']}/regen_token")["token"]
    mattermost.scene.post(town.channel, town.alice, "hey you")
    assert integration.take().fields["token"] == new != old


def test_only_a_first_word_triggers(
    mattermost: Mattermost, integration: Integration
) -> None:
    town = mattermost.town
    mattermost.acts.add_outgoing_hook(
        town.team, integration.url, town.admin, words=["hey"]
    )
    for text in ("say hey", "heyday", "", "hey!", "hey you"):
        mattermost.scene.post(town.channel, town.alice, text)
    assert integration.take().fields["text"] == "hey you"
    assert integration.is_idle()


def test_what_a_webhook_posts_triggers_none(
    mattermost: Mattermost, integration: Integration, client: Client
) -> None:
    town, acts = mattermost.town, mattermost.acts
    acts.add_outgoing_hook(town.team, integration.url, town.admin, words=["hey"])
    integration.will(Reply.of(text="hey yourself"))
    post(acts.add_incoming_hook(town.channel, town.admin), text="hey from a webhook")
    mattermost.scene.post(town.channel, town.alice, "hey you")
    assert integration.take().fields["text"] == "hey you"
    heard = [message(client.until("posted")) for _ in range(3)]
    assert heard == ["hey from a webhook", "hey you", "hey yourself"]
    assert integration.is_idle()


@pytest.mark.parametrize(
    "reply",
    [Reply(""), Reply("nonsense"), Reply(status=500), Reply(is_dropped=True)],
)
def test_what_goes_wrong_with_an_outgoing_webhook_nobody_is_told(
    mattermost: Mattermost, integration: Integration, reply: Reply
) -> None:
    town = mattermost.town
    mattermost.acts.add_outgoing_hook(
        town.team, integration.url, town.admin, words=["hey"]
    )
    integration.will(reply)
    mattermost.scene.post(town.channel, town.alice, "hey")
    integration.take()
    mattermost.stop()
    assert len(mattermost.ledger.entries(contains="")) == 1


def test_an_incoming_webhook_posts_where_its_owner_may(
    mattermost: Mattermost, admin: Rest
) -> None:
    town, acts = mattermost.town, mattermost.acts
    url = acts.add_incoming_hook(town.channel, town.bob)
    assert post(url, text="one").text == "ok"
    assert post(url, text="two", channel="#second").text == "ok"
    refused = post(url, text="three", channel="private")
    assert refused.json()["id"] == "web.incoming_webhook.permissions.app_error"
    refused = post(url, text="four", channel="@nobody")
    assert refused.json()["id"] == "web.incoming_webhook.user.app_error"
    assert post(url, text="five", channel="@alice").text == "ok"
    said = mattermost.ledger.said(town.bob)
    assert [each.text for each in said] == ["one", "two", "five"]


def test_a_locked_webhook_stays_in_its_channel(
    mattermost: Mattermost, admin: Rest
) -> None:
    given = {"channel_id": mattermost.town.channel, "channel_locked": True}
    made = admin.post("/hooks/incoming", given)
    url = f"{mattermost.url}/hooks/{made['id']}"
    refused = post(url, text="x", channel="second")
    assert refused.json()["id"] == "web.incoming_webhook.channel_locked.app_error"


def test_a_webhook_pretends_nothing_by_its_props(mattermost: Mattermost) -> None:
    town = mattermost.town
    url = mattermost.acts.add_incoming_hook(town.channel, town.admin)
    props = {"from_webhook": "no", "override_username": "alice", "kept": 1}
    post(url, text="x", props=props)
    (entry,) = mattermost.ledger.entries(contains="x")
    assert (entry.props["from_webhook"], entry.props["override_username"]) == (
        *("true", "webhook"),
    )
    assert entry.props["kept"] == 1
