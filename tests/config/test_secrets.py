"""Secrets that are not in the config file itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from malexbot.config.load import load
from malexbot.config.problems import ConfigProblems

CONFIG = "mattermost: {http_host: https://chat.example.org, token: ''}\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "malexbot.yaml"
    file.write_text(CONFIG)
    return file


def test_a_credential_of_systemd_is_the_secret(config: Path) -> None:
    (config.parent / "mattermost.token").write_text("s3cret\n")
    loaded = load(config, environ={"CREDENTIALS_DIRECTORY": str(config.parent)})
    assert loaded.mattermost is not None
    assert loaded.mattermost.token.get_secret_value() == "s3cret"


def test_a_credential_that_is_an_empty_line_is_none(config: Path) -> None:
    (config.parent / "mattermost.token").write_text("\n")
    with pytest.raises(ConfigProblems, match="token: missing"):
        load(config, environ={"CREDENTIALS_DIRECTORY": str(config.parent)})
