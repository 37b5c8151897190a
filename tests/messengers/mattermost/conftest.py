"""A sandbox with a town, and the client that talks to it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.link import Link
from malexbot.sandbox.fixtures import Mattermost, mattermost

__all__ = ["mattermost"]


@pytest.fixture
def link(mattermost: Mattermost) -> Iterator[Link]:
    link = Link(url=f"{mattermost.url}/api/v4", token=mattermost.town.token)
    yield link
    link.close()


@pytest.fixture
def client(link: Link) -> Client:
    return Client(link, patience_s=5)


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
