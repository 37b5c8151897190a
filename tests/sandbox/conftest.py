from __future__ import annotations

from collections.abc import Iterator

import pytest

from malexbot.sandbox.fixtures import Mattermost, mattermost
from tests.sandbox.clients import Client, Rest

__all__ = ["mattermost"]


@pytest.fixture
def bot(mattermost: Mattermost) -> Iterator[Rest]:
    with Rest(mattermost.url, mattermost.town.token) as rest:
        yield rest


@pytest.fixture
def alice(mattermost: Mattermost) -> Iterator[Rest]:
    token = mattermost.scene.add_token(mattermost.town.alice)
    with Rest(mattermost.url, token) as rest:
        yield rest


@pytest.fixture
def admin(mattermost: Mattermost) -> Iterator[Rest]:
    token = mattermost.scene.add_token(mattermost.town.admin)
    with Rest(mattermost.url, token) as rest:
        yield rest


@pytest.fixture
def client(mattermost: Mattermost) -> Iterator[Client]:
    """The bot's websocket, past its greeting."""
    with Client(mattermost.url, mattermost.town.token) as client:
        client.upto_reply()
        yield client
