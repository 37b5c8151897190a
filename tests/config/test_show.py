"""What is in effect can be read, and read back."""

from __future__ import annotations

from pathlib import Path

from malexbot.config.load import load
from malexbot.config.model import Config
from malexbot.config.show import show


def test_what_is_shown_is_read_back_as_the_same(tmp_path: Path) -> None:
    config = Config(
        drain_timeout="1m30s",
        db={"name": "no", "username": "012", "password": "***", "host": "${H}"},
        mattermost={
            "http_host": "wss://chat/api/v4/websocket",
            "token": "***",
            "filter_messages_contains": ["1:30", "yes", "", "Ж 😀", "tab\tin"],
            "target_events_processors": [{"posted": "save"}],
        },
    )
    file = tmp_path / "malexbot.yaml"
    file.write_text(show(config))
    assert load(file, environ={}) == config


def test_defaults_are_shown() -> None:
    assert "drain_timeout: 20s\n" in show(Config())
    assert "port: 8765\n" in show(Config())


def test_passwords_in_urls_are_masked() -> None:
    config = Config(db={"name": "d", "host": "postgresql://me:S3cret@h/d"})
    assert "postgresql://me:***@h/d" in show(config)
