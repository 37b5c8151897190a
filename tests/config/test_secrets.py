"""Secrets come from where operators keep them, and are seen nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from malexbot.config.document import Document
from malexbot.config.load import load, validate
from malexbot.config.model import Config, Mattermost
from malexbot.config.problems import ConfigProblems
from malexbot.config.show import show

HEAD = "mattermost:\n  http_host: chat.example.org\n"


def config_of(folder: Path, text: str, **environ: str) -> Config:
    file = folder / "malexbot.yaml"
    file.write_text(text)
    return load(file, environ=environ)


def token_of(folder: Path, text: str, **environ: str) -> str:
    mattermost = config_of(folder, HEAD + text, **environ).mattermost
    assert mattermost is not None
    return mattermost.token.get_secret_value()


def problems_of(folder: Path, text: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigProblems) as raised:
        config_of(folder, HEAD + text, **environ)
    return [str(problem) for problem in raised.value.problems]


def test_a_secret_may_stand_in_the_file(tmp_path: Path) -> None:
    assert token_of(tmp_path, "  token: abc\n") == "abc"
    assert token_of(tmp_path, f"  token: {'12' * 13}\n") == "12" * 13


def test_a_secret_may_be_in_a_file_beside_the_config(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\r\n")
    assert token_of(tmp_path, "  token_file: token\n") == "abc"
    assert token_of(tmp_path, f"  token: ''\n  token_file: {tmp_path}/token\n") == "abc"


def test_variables_are_filled_in_anywhere(tmp_path: Path) -> None:
    assert token_of(tmp_path, "  token: ${A}-${B_2}\n", A="x", B_2="y") == "x-y"
    (tmp_path / "token").write_text("abc")
    text = "  token_file: ${DIR}/token\n"
    assert token_of(tmp_path, text, DIR=str(tmp_path)) == "abc"
    config = config_of(tmp_path, "backend: {port: '${PORT}'}\n", PORT="99")
    assert config.backend.port == 99


def test_a_dollar_can_be_written(tmp_path: Path) -> None:
    assert token_of(tmp_path, "  token: $${A}-$5-${{x}}\n") == "${A}-$5-${{x}}"


def test_a_variable_that_is_not_set_is_told_once(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "  token: ${NOWHERE}\n") == [
        "mattermost.token: the variable NOWHERE is not set (line 3);"
        " set it for the service, or write $${ for a plain ${"
    ]


def test_the_source_of_the_credentials_serves_outside_of_systemd(
    tmp_path: Path,
) -> None:
    source = tmp_path / "malexbot" / "credentials"
    source.mkdir(parents=True)
    (source / "mattermost.token").write_text("abc\n")
    assert token_of(tmp_path, "") == "abc"
    assert token_of(tmp_path, "  token: own\n") == "own"
    others = tmp_path / "systemd"
    others.mkdir()
    (others / "mattermost.token").write_text("def\n")
    assert token_of(tmp_path, "", CREDENTIALS_DIRECTORY=str(others)) == "def"


def test_a_secret_put_in_place_of_its_file_is_not_told(tmp_path: Path) -> None:
    (told,) = problems_of(tmp_path, "  token_file: xoxb-VERYSECRET\n")
    assert "VERYSECRET" not in told
    assert "that file cannot be read: No such file" in told


def test_systemds_credentials_are_used(tmp_path: Path) -> None:
    (tmp_path / "mattermost.token").write_text("abc\n")
    (tmp_path / "db.password").write_text("p w\n")
    text = HEAD + "  token: ''\ndb: {name: d}\n"
    config = config_of(tmp_path, text, CREDENTIALS_DIRECTORY=str(tmp_path))
    assert set(config.secrets()) == {"abc", "p w"}


def test_what_is_written_goes_before_a_credential(tmp_path: Path) -> None:
    (tmp_path / "mattermost.token").write_text("abc\n")
    place = str(tmp_path)
    assert token_of(tmp_path, "  token: own\n", CREDENTIALS_DIRECTORY=place) == "own"


def test_a_credential_alone_makes_no_block(tmp_path: Path) -> None:
    (tmp_path / "db.password").write_text("pw\n")
    config = config_of(tmp_path, "log:\n", CREDENTIALS_DIRECTORY=str(tmp_path))
    assert config.db is None


@pytest.mark.parametrize("content", ["", "\n"])
def test_a_credential_that_is_empty_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "mattermost.token").write_text(content)
    (told,) = problems_of(tmp_path, "", CREDENTIALS_DIRECTORY=str(tmp_path))
    assert told.startswith("mattermost.token: missing")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"x" * 100_000, "is too large for a secret"),
    ],
)
def test_a_file_that_holds_no_secret_is_told_once(
    tmp_path: Path, content: bytes, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_bytes(content)
    assert problems_of(Path(), "  token_file: token\n") == [
        f"mattermost.token_file: token {told} (line 3)"
    ]


def test_a_file_that_cannot_be_read_is_told_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "token").symlink_to("token")
    (problem,) = problems_of(tmp_path, f"  token_file: {tmp_path}/token\n")
    assert "token cannot be read: Too many" in problem


def test_a_path_that_no_file_can_have_is_told(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, "  token_file: ${X}\n", X="a\0b")
    assert problem == "mattermost.token_file: needs the path of a file (line 3)"


class Account(BaseModel):
    key: SecretStr


class Params(BaseModel):
    accounts: list[Account]
    by_name: dict[str, Account] = {}


def test_secrets_deep_in_a_plugins_block_are_found(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("abc\n")
    document = Document(tmp_path / "malexbot.yaml")
    value = {"accounts": [{"key_file": "key"}], "by_name": {"x": {"key_file": "key"}}}
    found = validate(Params, value, document=document, environ={})
    assert document.problems == []
    assert found is not None
    assert found.accounts[0].key.get_secret_value() == "abc"
    assert found.by_name["x"].key.get_secret_value() == "abc"


def test_secrets_are_not_in_what_is_printed(tmp_path: Path) -> None:
    text = HEAD + "  token: S3cret\ndb: {name: d, password: S3cret}\n"
    config = config_of(tmp_path, text)
    for printed in (repr(config), str(config), repr(config.db), show(config)):
        assert "localhost" in printed
        assert "S3cret" not in printed
    assert "S3cret" not in config.model_dump_json()


def test_secrets_are_not_in_errors(tmp_path: Path) -> None:
    told = problems_of(tmp_path, "  token: {x: S3cret}\n  tokne: S3cret\n")
    told += problems_of(tmp_path, "  token: S3cret S3cret\n  id: [S3cret]\n")
    told += problems_of(tmp_path, "  token: abc\n  http_port: ${X}\n", X="S3cret")
    assert len(told) == 5
    assert "S3cret" not in "".join(told)


def test_secrets_are_not_in_pydantics_own_errors() -> None:
    with pytest.raises(ValidationError) as raised:
        Mattermost.model_validate({"http_host": "h", "token": ["S3cret"]})
    assert "S3cret" not in str(raised.value) + repr(raised.value)


def test_no_cause_of_a_problem_holds_the_secret(tmp_path: Path) -> None:
    file = tmp_path / "malexbot.yaml"
    file.write_text(HEAD + "  token: [S3cret]\n")
    with pytest.raises(ConfigProblems) as raised:
        load(file, environ={})
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
