from __future__ import annotations

import pytest

from malexbot.pipeline.audience import Audience
from tests.support.events import happened, posted


@pytest.fixture
def audience() -> Audience:
    audience = Audience()
    audience.know_self("bot-id", "malex.bot")
    return audience


@pytest.mark.parametrize(
    "text",
    [
        "@malex.bot help",
        "help, @Malex.Bot.",
        "(@malex.bot)",
        "well @malex.bot: deploy",
        "@malex.bot",
    ],
)
def test_a_message_names_the_bot(audience: Audience, text: str) -> None:
    assert audience.now.is_named_in(posted(text=text))


@pytest.mark.parametrize(
    "text",
    [
        "malex.bot help",
        "@all help",
        "@malex.bot2",
        "@malex.bot-test",
        "@malex.bot.two",
        "@malexxbot",
        "mail me@malex.bot",
        "",
    ],
)
def test_a_message_names_somebody_else(audience: Audience, text: str) -> None:
    assert not audience.now.is_named_in(posted(text=text))


def test_nobody_is_named_where_nothing_is_said(audience: Audience) -> None:
    assert not audience.now.is_named_in(happened("hello"))


def test_who_does_not_know_its_name_is_not_named() -> None:
    audience = Audience()
    audience.know_self("bot-id")
    assert not audience.now.is_named_in(posted(text="@malex.bot"))
