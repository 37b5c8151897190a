"""The block `vk`, and what is odd about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from malexbot.config.load import load_with_warnings
from malexbot.config.model import Config
from malexbot.config.problems import ConfigProblems
from malexbot.config.reload import merge
from malexbot.config.vk import Vk

BLOCK: dict[str, Any] = {"token": "vk1.a.secret", "group_id": 218730916}


def vk(**settings: Any) -> Vk:
    return Vk.model_validate(BLOCK | settings)


def warnings(folder: Path, **blocks: Any) -> list[str]:
    file = folder / "malexbot.yaml"
    file.write_text(yaml.safe_dump(blocks))
    return [str(warning) for warning in load_with_warnings(file).warnings]


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://api.vk.ru/method", "https://api.vk.ru/method"),
        ("api.vk.ru/method/", "https://api.vk.ru/method"),
        ("http://127.0.0.1:8080/method", "http://127.0.0.1:8080/method"),
    ],
)
def test_the_api_is_where_it_is_said(base: str, url: str) -> None:
    assert vk(api_base=base).api_url == url
    assert vk().api_url == "https://api.vk.com/method"


@pytest.mark.parametrize(
    "settings",
    [
        {"group_id": 0},
        {"group_id": -218730916},
        {"group_id": "club7"},
        {"group_id": True},
        {"token": "two words"},
        {"token": ""},
        {"api_base": "ftp://api.vk.com"},
        {"api_base": "https://user:secret@api.vk.com"},
        {"api_version": "latest"},
        {"wait": 25},
    ],
)
def test_what_is_no_setting_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as raised:
        vk(**settings)
    assert "secret" not in str(raised.value)


def test_a_number_may_be_quoted() -> None:
    assert vk(group_id="218730916").group_id == 218730916


def test_a_daemon_may_have_vk_alone(tmp_path: Path) -> None:
    assert warnings(tmp_path, vk=BLOCK) == []
    (odd,) = warnings(tmp_path, state_dir="/tmp")
    assert "nothing is listened to; add the block `mattermost` or `vk`" in odd


def test_an_event_that_nobody_knows_is_told_with_what_was_meant(tmp_path: Path) -> None:
    events = {"message_now": ["log"], "posted": ["log"], "gap": ["log"]}
    now, posted = warnings(tmp_path, vk=BLOCK | {"target_events_processors": events})
    assert "no event 'message_now' is known" in now
    assert "did you mean 'message_new'?" in now
    assert "no event 'posted' is known" in posted


def test_the_archive_keeps_nothing_of_vk(tmp_path: Path) -> None:
    events = {"message_new": ["save"]}
    (odd,) = warnings(tmp_path, vk=BLOCK | {"target_events_processors": events})
    assert "`save` keeps nothing of VK" in odd


def test_routes_need_an_event_of_either_messenger(tmp_path: Path) -> None:
    routes = [{"name": "a", "to": "vk:2000000001"}]
    (odd,) = warnings(tmp_path, vk=BLOCK, routes=routes)
    assert "vk.target_events_processors: `message_new: [route]`" in odd
    events = {"message_new": ["route"]}
    block = BLOCK | {"target_events_processors": events}
    assert warnings(tmp_path, vk=block, routes=routes) == []


def test_a_reload_takes_the_events_at_once_and_the_rest_later() -> None:
    old = Config.model_validate({"vk": BLOCK})
    events = {"message_new": ["log"]}
    block = BLOCK | {"target_events_processors": events, "token": "other"}
    config, changed, late = merge(old, Config.model_validate({"vk": block}))
    assert (
        config.vk is not None and config.vk.token.get_secret_value() == "vk1.a.secret"
    )
    assert config.target_events_processors == {"message_new": ("log",)}
    assert late == ("vk.token",)


def test_what_is_done_of_both_messengers_is_one_table() -> None:
    mattermost = {
        "http_host": "h",
        "token": "t",
        "target_events_processors": {"posted": ["log"]},
    }
    block = BLOCK | {"target_events_processors": {"message_new": ["log"]}}
    config = Config.model_validate({"mattermost": mattermost, "vk": block})
    assert [*config.target_events_processors] == ["posted", "message_new"]


@pytest.mark.parametrize("target", ["vk:nobody", "vk:0", "vk:@anna", "vk: 7x"])
def test_a_target_at_vk_is_a_number(target: str, tmp_path: Path) -> None:
    events = {"message_new": ["route"]}
    block = BLOCK | {"target_events_processors": events}
    with pytest.raises(ConfigProblems, match="needs the number of a conversation"):
        warnings(tmp_path, vk=block, routes=[{"name": "a", "to": target}])
    for fit in ("vk:2000000001", "vk:-7", "vk:{{ event.user.uuid }}"):
        assert warnings(tmp_path, vk=block, routes=[{"name": "a", "to": fit}]) == []
