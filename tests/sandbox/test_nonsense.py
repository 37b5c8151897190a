"""Nonsense is refused, by the people's doors and by those that need no token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from malexbot.sandbox.fixtures import Mattermost
from malexbot.sandbox.refusals import Refusal
from tests.sandbox.clients import PATIENCE_S, Rest
from tests.sandbox.integration import Integration, Reply

DEEP = b"[" * 100_000
JUNK = [
    b"",
    b"null",
    b"[]",
    b"5",
    b'"text"',
    b"{",
    DEEP,
    b'{"a": ' * 2_000,
    '{"text": "\ud800"}'.encode("utf-8", "surrogatepass"),
    b"\xff\xfe\x00",
]
WRONG: list[Any] = [5, [], {}, "x", True, ["x"], {"x": 5}, "\x00", "é" * 30]
FIELDS = (
    *("team_id", "channel_id", "root_id", "command", "trigger", "url", "method"),
    *("trigger_id", "dialog", "submission", "state", "selected_option", "cookie"),
    *("trigger_words", "callback_urls", "trigger_when", "content_type", "term"),
    *("text", "attachments", "props", "response_type", "extra_responses", "channel"),
    *("username", "type", "icon_url", "goto_location", "user_id", "post"),
)


@pytest.fixture
def doors(mattermost: Mattermost) -> list[str]:
    """Where a POST is read."""
    town, acts = mattermost.town, mattermost.acts
    made = acts.add_command(town.team, "deploy", "http://127.0.0.1:1", town.admin)
    hook = acts.add_incoming_hook(town.channel, town.admin)
    with pytest.raises(Refusal):
        acts.execute(town.alice, town.channel, "/deploy")
    (late,) = mattermost.scene.world.response_urls
    post_id = mattermost.scene.post(town.channel, town.bot, "x")
    return [
        "/api/v4/commands",
        "/api/v4/commands/execute",
        "/api/v4/actions/dialogs/open",
        "/api/v4/actions/dialogs/submit",
        f"/api/v4/posts/{post_id}/actions/yes",
        "/api/v4/posts/ephemeral",
        "/api/v4/hooks/incoming",
        "/api/v4/hooks/outgoing",
        f"/api/v4/teams/{town.team}/channels/search",
        f"/api/v4/commands/{made['id']}",
        f"/hooks/commands/{late.id}",
        hook.removeprefix(mattermost.url),
    ]


@pytest.fixture
def admin_token(mattermost: Mattermost) -> str:
    return mattermost.scene.add_token(mattermost.town.admin)


def statuses(
    mattermost: Mattermost, doors: list[str], token: str, bodies: list[bytes]
) -> Iterator[tuple[str, bytes, int]]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with requests.Session() as session:
        for door in doors:
            for body in bodies:
                answer = session.post(
                    mattermost.url + door,
                    data=body,
                    headers=headers,
                    timeout=PATIENCE_S,
                )
                yield door, body[:80], answer.status_code


def test_what_is_no_object_is_refused(
    mattermost: Mattermost, doors: list[str], admin_token: str
) -> None:
    for door, body, status in statuses(mattermost, doors, admin_token, JUNK):
        assert status < 500, (door, body)


def test_fields_of_other_types_are_refused(
    mattermost: Mattermost, doors: list[str], admin_token: str
) -> None:
    bodies = [json.dumps(dict.fromkeys(FIELDS, wrong)).encode() for wrong in WRONG]
    for door, body, status in statuses(mattermost, doors, admin_token, bodies):
        assert status < 500, (door, body)


@pytest.mark.parametrize("wrong", [*WRONG, None])
def test_attachments_of_nonsense_have_no_buttons(
    mattermost: Mattermost, bot: Rest, wrong: Any
) -> None:
    town = mattermost.town
    action = {"id": "yes", "name": wrong, "type": wrong, "integration": wrong}
    context = {"id": "also", "integration": {"url": wrong, "context": wrong}}
    attachment = {"text": wrong, "fields": wrong, "actions": [action, context, wrong]}
    made = bot.post(
        "/posts",
        {"channel_id": town.channel, "props": {"attachments": [attachment, wrong]}},
    )
    assert "integration" not in json.dumps(made)
    for name in ("yes", "also"):
        with pytest.raises(Refusal) as refused:
            mattermost.acts.press(town.alice, made["id"], name)
        assert refused.value.status in (400, 404)


def test_answers_of_nonsense_are_told_as_such(
    mattermost: Mattermost, admin: Rest
) -> None:
    town, acts = mattermost.town, mattermost.acts
    with Integration() as integration:
        acts.add_command(town.team, "deploy", integration.url, town.admin)
        answers = [body.decode(errors="replace") for body in JUNK]
        answers += [json.dumps(dict.fromkeys(FIELDS, wrong)) for wrong in WRONG]
        answers += [json.dumps({"attachments": [wrong]}) for wrong in WRONG]
        answers += [
            json.dumps({"extra_responses": [{"text": wrong}]}) for wrong in WRONG
        ]
        for answer in answers:
            integration.will(Reply(answer))
            typed = {"channel_id": town.channel, "command": "/deploy"}
            told = admin("POST", "/commands/execute", json=typed)
            is_told = told.status_code == 500 and "execute_command" in told.text
            assert told.status_code == 200 or is_told, answer
