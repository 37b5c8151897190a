"""What an operator writes becomes a Config, or problems that say what to change."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from malexbot.config.document import parse
from malexbot.config.load import load, load_with_warnings, validate
from malexbot.config.model import Config, Log
from malexbot.config.problems import LINE_WIDTH, ConfigProblems
from tests.config.broken import BROKEN, Broken

SEED = """\
backend:
    host: "0.0.0.0"
    port: 8765

db:
    username: ""
    password: ""
    name: ""
    host: ""
    port:
    host_test: ""
    port_test:

mattermost:
    http_host: "wss://chat.example.org/api/v4/websocket"    # the server
    api_location: "/api/v4/"
    ws_host: "wss://chat.example.org"
    ws_api_location: "/api/v4/websocket"
    token: "abc"
    id: ""
    test_channel_id: "test_channel_id"
    filter_messages_contains: "some_substring"
    listen_channels:
      - "some_channel_id_1"
      - "some_channel_id_2"
    target_events_processors:
      - hello:
        - "log"
      - posted:                                             # an event
         - "save"                                           # a processor
         - "response"
"""


def read(content: str | bytes, tmp_path: Path, **environ: str) -> Config:
    file = tmp_path / "malexbot.yaml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return load(file, environ=environ)


def told(content: str | bytes, tmp_path: Path, **environ: str) -> str:
    with pytest.raises(ConfigProblems) as raised:
        read(content, tmp_path, **environ)
    return str(raised.value)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_broken_files_are_told_on_one_screen(broken: Broken, tmp_path: Path) -> None:
    file = tmp_path / "malexbot.yaml"
    file.write_bytes(broken.content)
    with pytest.raises(ConfigProblems) as raised:
        load(file, environ={})
    assert raised.value.exit_code == 78
    lines = str(raised.value).splitlines()
    assert lines[0].startswith(f"{file} has ")
    assert len(lines) <= 24
    assert all(len(line) <= LINE_WIDTH + 2 for line in lines[1:])
    for part in broken.parts:
        assert part in str(raised.value)
    assert "S3cret" not in str(raised.value)


def test_there_are_forty_broken_files() -> None:
    assert len({broken.content for broken in BROKEN}) >= 40


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = "mattermost:\n  http_host: chat.example.org\n  tokne: x\nprot: 1\n"
    assert told(text, tmp_path).splitlines() == [
        f"{tmp_path}/malexbot.yaml has 3 problems:",
        "  mattermost.token: missing (line 1); write it there, or its file as"
        " token_file, or a variable as ${NAME}",
        "  mattermost.tokne: unknown key (line 3); did you mean 'token'?",
        "  prot: unknown key (line 4); did you mean 'backend.port'?",
    ]


def test_many_problems_are_counted(tmp_path: Path) -> None:
    text = told("".join(f"key{n}: 1\n" for n in range(50)), tmp_path)
    assert len(text.splitlines()) == 22
    assert text.splitlines()[-1] == "  … and 30 more"


def test_the_seeds_sample_is_accepted(tmp_path: Path) -> None:
    config = read(SEED, tmp_path)
    assert config.backend.host == "0.0.0.0"
    assert config.db is None
    assert config.mattermost is not None
    assert config.mattermost.api_url == "https://chat.example.org/api/v4"
    assert config.mattermost.websocket_url == "wss://chat.example.org/api/v4/websocket"
    assert config.mattermost.filter_messages_contains == ("some_substring",)
    assert config.mattermost.listen_channels == (
        "some_channel_id_1",
        "some_channel_id_2",
    )
    assert config.mattermost.target_events_processors == {
        "hello": ("log",),
        "posted": ("save", "response"),
    }


def test_a_seeds_database_filled_in_is_used(tmp_path: Path) -> None:
    text = SEED.replace('    name: ""', '    name: "archive"').replace(
        'password: ""', 'password: "pw"'
    )
    db = read(text, tmp_path).db
    assert db is not None and db.password is not None
    assert (db.name, db.host, db.port, db.username) == (
        "archive",
        "localhost",
        5432,
        None,
    )
    assert db.password.get_secret_value() == "pw"


def test_a_setting_with_nothing_after_it_has_its_default(tmp_path: Path) -> None:
    assert read("backend:\n  port:\nlog:\nstate_dir: ~\n", tmp_path) == Config()


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    assert read(b"\xef\xbb\xbfdrain_timeout: 5\n", tmp_path).drain_timeout == 5


def test_numbers_and_words_in_text_stay_as_written(tmp_path: Path) -> None:
    text = "db: {name: no, password: 0123, username: 1_000, host: 12}\n"
    db = read(text, tmp_path).db
    assert db is not None and db.password is not None
    assert (db.name, db.username, db.host) == ("no", "1_000", "12")
    assert db.password.get_secret_value() == "0123"


def test_merge_keys_and_anchors_work(tmp_path: Path) -> None:
    text = "log: &l {level: debug}\n<<: {drain_timeout: 1m}\nbackend: {port: '99'}\n"
    config = read(text, tmp_path)
    assert (config.drain_timeout, config.log.level) == (60, "debug")
    assert config.backend.port == 99


def test_the_nearest_of_merged_values_wins(tmp_path: Path) -> None:
    one, two = "{level: debug, format: text}", "{level: error, format: json}"
    text = f"log:\n  <<: [{one}, {two}]\n"
    assert read(text, tmp_path).log == Log(level="debug", format="text")
    for own in ("  level: info\n" + text[5:], text[5:] + "  level: info\n"):
        assert read("log:\n" + own, tmp_path).log.level == "info"


def test_problems_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = told("zz: 1\nstate_dir: x\nlog: {level: x}\naa: 1\nlog: 1\n", tmp_path)
    lines = re.findall(r"\(line ([0-9])\)", text)
    assert lines == ["1", "2", "3", "4", "5"]


def test_without_a_source_there_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "malexbot.yaml"
    file.write_text("state_dir: /tmp\n")
    (warning,) = load_with_warnings(file, environ={}).warnings
    assert "nothing is listened to" in str(warning)


def test_without_channels_there_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "malexbot.yaml"
    file.write_text("mattermost:\n  http_host: h\n  token: t\n  listen_channels:\n")
    (warning,) = load_with_warnings(file, environ={}).warnings
    assert str(warning).startswith("mattermost.listen_channels: no channel")
    assert warning.line == 4


def test_a_value_that_a_comment_hides_is_warned_of(tmp_path: Path) -> None:
    text = "vk: {token: x, group_id: 1}\narchive:\n  when: #keep\n  files: #\n"
    file = tmp_path / "malexbot.yaml"
    file.write_text(text)
    (warning,) = load_with_warnings(file, environ={}).warnings
    assert warning.path == "archive.when" and warning.line == 3
    assert warning.hint == "put it in quotes"


def test_a_sound_configuration_has_no_warnings(tmp_path: Path) -> None:
    file = tmp_path / "malexbot.yaml"
    file.write_text(SEED)
    assert load_with_warnings(file, environ={}).warnings == ()


def test_a_missing_file_says_where_a_sample_comes_from(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems, match="no such file; `malexbot install`"):
        load(tmp_path / "nothing.yaml")


def test_a_folder_is_told_from_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems, match="a folder, not a file"):
        load(tmp_path)


def test_a_name_that_no_file_can_have_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems, match="not the name of a file"):
        load(Path("a\0b"))
    with pytest.raises(ConfigProblems, match="File name too long"):
        load(tmp_path / ("x" * 300))


def test_an_unreadable_file_says_who_may_not_read_it(tmp_path: Path) -> None:
    file = tmp_path / "malexbot.yaml"
    file.write_text("log: {}\n")
    file.chmod(0)
    with as_another_user(), pytest.raises(ConfigProblems) as raised:
        load(file)
    assert "may not read it" in str(raised.value)


class as_another_user:
    """Root reads everything: become nobody for a while."""

    def __enter__(self) -> None:
        self._user = os.geteuid()
        if self._user == 0:
            os.seteuid(65534)

    def __exit__(self, *_: object) -> None:
        os.seteuid(self._user)


class Telegram(BaseModel):
    chat: int
    retries: int = 3


def test_a_plugins_block_is_checked_the_same_way() -> None:
    text = b"consumers:\n  - telegram:\n      chta: 5\n      retries: few\n"
    document = parse(text, Path("f.yaml"))
    block = document.value["consumers"][0]["telegram"]
    where = ("consumers", 0, "telegram")
    found = validate(Strict, block, document=document, where=where, environ={})
    assert found is None
    assert sorted(map(str, document.problems)) == [
        "consumers[1].telegram.chat: missing (line 2)",
        "consumers[1].telegram.chta: unknown key (line 3); did you mean 'chat'?",
        "consumers[1].telegram.retries: needs a whole number, not text (line 4)",
    ]


class Strict(Telegram, extra="forbid"):
    pass


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(content=st.binary(max_size=200))
def test_random_bytes_are_a_config_or_problems(content: bytes, tmp_path: Path) -> None:
    try:
        read(content, tmp_path)
    except ConfigProblems as problems:
        assert str(problems)


def _names() -> st.SearchStrategy[str]:
    blocks = (Config, *(type(part) for part in (Config().log, Config().backend)))
    known = [name for block in blocks for name in block.model_fields]
    seed = list(yaml.safe_load(SEED)["mattermost"])
    return st.sampled_from([*known, *seed, "token_file", "<<"]) | st.text(max_size=5)


_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["${X}", "https://h", "wss://[::1", "30s", "1:2", "http://h:99999"]
    )
)
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(_names(), inner, max_size=5),
    max_leaves=25,
)


@settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(tree=st.dictionaries(_names(), _TREES, max_size=6))
def test_random_structures_are_a_config_or_problems(
    tree: dict[str, Any], tmp_path: Path
) -> None:
    try:
        read(yaml.safe_dump(tree, allow_unicode=True), tmp_path)
    except ConfigProblems as problems:
        assert len(str(problems).splitlines()) <= 24
