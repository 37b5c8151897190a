"""Commands, buttons, menus, dialogs and webhooks go as they went on a real server.

Out of the recording: that one's own posts mark their channel as read
(`channel_viewed`), and the built-in commands.
"""

from __future__ import annotations

import pytest

from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.settings import Settings
from tests.sandbox import interact_story
from tests.sandbox.integration import Integration
from tests.sandbox.recorded import load

REQUESTS = load("interact.jsonl")
CALLS = load("callbacks.jsonl")
FRAMES = load("told.jsonl")


@pytest.fixture(scope="module")
def told() -> dict[str, list[str]]:
    settings = Settings(is_developer=True)
    with Integration() as integration, Sandbox(settings=settings) as sandbox:
        return interact_story.tell(sandbox, integration)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_answered_as_recorded(
    told: dict[str, list[str]], name: str
) -> None:
    assert told.get(name, ["was not asked"]) == []


@pytest.mark.parametrize("name", CALLS)
def test_an_integration_is_told_as_recorded(
    told: dict[str, list[str]], name: str
) -> None:
    assert told.get(name, ["was not told"]) == []


@pytest.mark.parametrize("name", FRAMES)
def test_an_event_is_told_as_recorded(told: dict[str, list[str]], name: str) -> None:
    assert told.get(name, ["did not come"]) == []
