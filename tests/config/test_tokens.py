from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from malexbot.config.load import load
from malexbot.config.model import Config
from malexbot.config.problems import ConfigProblems
from malexbot.config.show import show


def loaded(folder: Path, **settings: Any) -> Config:
    file = folder / "malexbot.yaml"
    mattermost = {"http_host": "https://chat.example.org", "token": "t0ken"}
    file.write_text(yaml.safe_dump({"mattermost": {**mattermost, **settings}}))
    return load(file, environ={"HOOK": "fr0m-env"})


def problems(folder: Path, **settings: Any) -> str:
    with pytest.raises(ConfigProblems) as raised:
        loaded(folder, **settings)
    return str(raised.value)


def test_tokens_are_written_plainly_or_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "ops.token").write_text("fr0m-file\n")
    config = loaded(
        tmp_path,
        command_tokens={"/deploy": "pl4in", "ops/deploy": {"token_file": "ops.token"}},
        outgoing_tokens={"ops": "${HOOK}", "none": None},
    )
    assert config.mattermost is not None
    commands = config.mattermost.command_tokens
    told = {name: one.token.get_secret_value() for name, one in commands.items()}
    assert told == {"deploy": "pl4in", "ops/deploy": "fr0m-file"}
    hooks = config.mattermost.outgoing_tokens
    assert hooks["ops"].token.get_secret_value() == "fr0m-env"
    assert list(hooks) == ["ops"]


def test_they_are_secrets(tmp_path: Path) -> None:
    url = "https://chat.example.org/hooks/s3cret"
    config = loaded(
        tmp_path,
        command_tokens={"deploy": "s3cret-1"},
        outgoing_tokens={"ops": "s3cret-2"},
        incoming_webhooks={"ops": url},
    )
    assert "s3cret" not in repr(config)
    assert "s3cret" not in show(config)
    assert {"s3cret-1", "s3cret-2", url} <= set(config.secrets())


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("command_tokens", ["a"]),
        ("command_tokens", {"deploy now": "a"}),
        ("command_tokens", {"deploy": ""}),
        ("command_tokens", {"deploy": "two words"}),
        ("command_tokens", {"deploy": {"tokn": "a"}}),
        ("outgoing_tokens", {"ops": " "}),
        ("outgoing_tokens", {"a b": "x"}),
        ("incoming_webhooks", {"ops": "chat.example.org/hooks/x"}),
        ("incoming_webhooks", {"ops": "https://chat.example.org"}),
        ("incoming_webhooks", {"ops": "ftp://chat.example.org/hooks/x"}),
    ],
)
def test_what_cannot_be_right_is_told(tmp_path: Path, setting: str, value: Any) -> None:
    assert f"mattermost.{setting}" in problems(tmp_path, **{setting: value})


def test_what_is_wrong_does_not_show_the_secret(tmp_path: Path) -> None:
    told = problems(
        tmp_path,
        command_tokens={"deploy": "s3cret word"},
        incoming_webhooks={"ops": "s3cret"},
    )
    assert "s3cret" not in told


def test_the_server_s_own_address_is_above_its_api(tmp_path: Path) -> None:
    config = loaded(tmp_path, http_host="https://chat.example.org/team/api/v4")
    assert config.mattermost is not None
    assert config.mattermost.site_url == "https://chat.example.org/team"
