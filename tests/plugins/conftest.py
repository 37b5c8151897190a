"""A folder with a configuration and plugins in it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from malexbot.config.load import Loaded, load_with_warnings
from malexbot.plugins.loader import plug

Load = Callable[..., Loaded]


@pytest.fixture(autouse=True)
def no_module_outlives_its_test() -> Iterator[None]:
    before = dict(sys.modules)
    yield
    for name in set(sys.modules) - set(before):
        if name.startswith("plugins.") or name.startswith("malexbot_test_"):
            del sys.modules[name]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads a configuration with these `processors` on posts, and these blocks."""

    def load(*processors: str, **blocks: Any) -> Loaded:
        mattermost = {
            "http_host": "chat.example.org",
            "token": "t",
            "listen_channels": "*",
            "target_events_processors": {"posted": [*processors]},
        }
        file = tmp_path / "malexbot.yaml"
        file.write_text(yaml.safe_dump({"mattermost": mattermost, **blocks}))
        return load_with_warnings(file, environ={}, plug=plug)

    return load
