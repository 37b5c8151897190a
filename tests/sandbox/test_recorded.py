"""The sandbox answers as the recorded server did.

Of the 500 recordings these are out; commands, buttons, dialogs and webhooks are those
of test_interact:

| recordings                                              | why                        |
|---------------------------------------------------------|----------------------------|
| rest/posts_search, channels_search                      | searching                  |
| rest/posts_around_last_unread, post_set_unread, ws/091  | read marks                 |
| rest/users_me_sessions                                  | sessions                   |
| ws/083, 084                                             | preferences                |
| rest/posts_since_1000_limit_summary                     | no request; see test_pages |
"""

from __future__ import annotations

import pytest

from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.settings import Settings
from tests.sandbox import story
from tests.sandbox.recorded import load

# Frames 000 to 028 are those of test_socket; these have no cause in the sandbox.
SILENT = {
    "083_preferences__sidebar_category_updated",
    "084_preferences__preferences_changed",
    "091_post_set_unread__post_unread",
}

REQUESTS = load("rest.jsonl")
FRAMES = load("frames.jsonl")


@pytest.fixture(scope="module")
def told() -> dict[str, list[str]]:
    with Sandbox(settings=Settings(is_developer=True)) as sandbox:
        return story.tell(sandbox)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_answered_as_recorded(
    told: dict[str, list[str]], name: str
) -> None:
    assert told.get(name, ["was not asked"]) == []


@pytest.mark.parametrize(
    "name", sorted(n for n in FRAMES if n >= "029" and n not in SILENT)
)
def test_an_event_is_told_as_recorded(told: dict[str, list[str]], name: str) -> None:
    assert told.get(name, ["did not come"]) == []
