"""A sandbox with a town, and the client that talks to it."""

from __future__ import annotations

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
