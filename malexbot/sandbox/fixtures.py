"""pytest fixtures for people who write plugins.

Switch them on in a conftest: `pytest_plugins = ["malexbot.sandbox.fixtures"]`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.town import Town, build


class Mattermost(Sandbox):
    """A started sandbox with a town in it."""

    town: Town


@pytest.fixture
def mattermost() -> Iterator[Mattermost]:
    """A Mattermost with a team, people, a bot with a token, and channels."""
    sandbox = Mattermost()
    sandbox.town = build(sandbox.scene)
    with sandbox:
        yield sandbox
