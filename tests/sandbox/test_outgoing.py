"""Dialogs reach an integration, unless its address is internal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from malexbot.sandbox.fixtures import Mattermost
from tests.sandbox.clients import Rest
from tests.sandbox.integration import Integration, Reply

FAILED = "api.post.do_action.action_integration.app_error"


@pytest.fixture
def integration() -> Iterator[Integration]:
    with Integration() as played:
        yield played


def submission(mattermost: Mattermost, url: str) -> dict[str, Any]:
    town = mattermost.town
    place = {"channel_id": town.channel, "team_id": town.team}
    return {"url": url, "callback_id": "c", "state": "s", **place}


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("", {}),
        ("no json", {}),
        ('{"error": "no such town"}', {"error": "no such town"}),
        ('{"errors": {"nm": "too short"}}', {"errors": {"nm": "too short"}}),
    ],
)
def test_what_is_filled_in_goes_there_and_the_answer_comes_back(
    mattermost: Mattermost,
    bot: Rest,
    integration: Integration,
    answer: str,
    shown: dict[str, Any],
) -> None:
    integration.will(Reply(answer))
    sent = submission(mattermost, integration.url)
    assert bot.post("/actions/dialogs/submit", sent) == shown
    told = integration.take().fields
    assert (told["type"], told["user_id"]) == ("dialog_submission", mattermost.town.bot)
    assert (told["state"], told["callback_id"]) == ("s", "c")
    assert "url" not in told


@pytest.mark.parametrize(
    ("allowed", "is_called"),
    [
        ("", False),
        ("10.0.0.0/8 other.example.org", False),
        ("127.0.0.1", True),
        ("10.0.0.0/8,127.0.0.0/8", True),
    ],
)
def test_an_internal_address_is_called_only_if_it_is_allowed(
    mattermost: Mattermost,
    bot: Rest,
    integration: Integration,
    allowed: str,
    is_called: bool,
) -> None:
    mattermost.settings.allowed_internal = allowed
    sent = submission(mattermost, integration.url)
    answer = bot("POST", "/actions/dialogs/submit", json=sent)
    assert integration.is_idle() != is_called
    if not is_called:
        told = answer.json()
        assert (told["id"], told["status_code"]) == (FAILED, 400)
        assert told["detailed_error"] == ""


def test_a_developers_server_tells_why_it_was_not_called(
    mattermost: Mattermost, bot: Rest, integration: Integration
) -> None:
    settings = mattermost.settings
    settings.is_developer, settings.allowed_internal = True, ""
    sent = submission(mattermost, integration.url)
    detail = bot.post("/actions/dialogs/submit", sent)["detailed_error"]
    assert "address forbidden, you may need to set AllowedUntrusted" in detail


def test_another_status_is_a_failure(
    mattermost: Mattermost, bot: Rest, integration: Integration
) -> None:
    mattermost.settings.is_developer = True
    integration.will(Reply(status=500))
    sent = submission(mattermost, integration.url)
    told = bot.post("/actions/dialogs/submit", sent)
    assert (told["id"], told["detailed_error"]) == (FAILED, "status=500")


def test_only_who_is_there_submits(
    mattermost: Mattermost, integration: Integration
) -> None:
    stranger = mattermost.scene.add_token(mattermost.scene.add_user("stranger"))
    sent = submission(mattermost, integration.url)
    with Rest(mattermost.url, stranger) as rest:
        answer = rest("POST", "/actions/dialogs/submit", json=sent)
    assert answer.status_code == 403
    assert integration.is_idle()


def test_a_stranger_is_told_less_of_the_settings(
    mattermost: Mattermost, bot: Rest
) -> None:
    mattermost.settings.site_url = "https://chat.example.org"
    path = "/config/client?format=old"
    with Rest(mattermost.url) as stranger:
        public = stranger.get(path)
    told = bot.get(path)
    assert told["SiteURL"] == "https://chat.example.org"
    assert "SiteURL" not in public
    assert public["TelemetryId"] == told["TelemetryId"]
