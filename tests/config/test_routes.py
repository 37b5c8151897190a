"""The rules of routes: all that is wrong with them is told at once, with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from malexbot.config.load import load, load_with_warnings
from malexbot.config.model import Config
from malexbot.config.problems import ConfigProblems
from malexbot.config.reload import merge
from malexbot.config.routes import RouteRule
from malexbot.config.show import show

ROUTES = """
mattermost: {http_host: "http://localhost", token: abc, listen_channels: ["*"]}
routes:
  - name: bans
    when: event.event_type == 'command' and event.message.text.startswith('/ban')
    to: [mattermost:c1, "mattermost:{{ event.peer.bpid }}"]
    continue: true
  - name: rest
    to: mattermost:c2
routing:
  default: mattermost:c3
  strict: true
"""


NEEDS = "mattermost:NAME, vk:NAME, redis:NAME or http:NAME"


def written(folder: Path, text: str) -> Path:
    file = folder / "malexbot.yaml"
    file.write_text(text)
    return file


def problems(folder: Path, text: str) -> dict[str, tuple[str, int | None]]:
    with pytest.raises(ConfigProblems) as raised:
        load(written(folder, text), environ={})
    return {each.path: (each.text, each.line) for each in raised.value.problems}


def test_rules_are_read_in_their_order(tmp_path: Path) -> None:
    config = load(written(tmp_path, ROUTES), environ={})
    bans, rest = config.routes
    assert (bans.name, bans.goes_on) == ("bans", True)
    assert bans.to == ("mattermost:c1", "mattermost:{{ event.peer.bpid }}")
    assert (rest.to, rest.goes_on, rest.when) == (("mattermost:c2",), False, "")
    assert config.routing.default == ("mattermost:c3",)
    assert config.routing.strict is True


def test_all_that_is_wrong_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """\
routes:
  - name: one
    when: event.pier.name
    to: ["redis:commands", mattermost, "mattermost:{{ event.pier }}"]
  - to: []
    continue: 5
routing:
  give_up_after: 31d
""",
    )
    assert {path: line for path, (_, line) in found.items()} == {
        "routes[1].when": 3,
        "routes[1].to[1]": 4,
        "routes[1].to[2]": 4,
        "routes[1].to[3]": 4,
        "routes[2].name": 5,
        "routes[2].to": 5,
        "routes[2].continue": 6,
        "routing.give_up_after": 8,
    }
    assert found["routes[2].to"][0] == "needs at least one word"


@pytest.mark.parametrize(
    "target", ["town", "mattermost:", "{{ event.name }}:x", ":", "mail:x"]
)
def test_a_target_says_its_kind_and_its_name(target: str, tmp_path: Path) -> None:
    text = yaml.safe_dump({"routes": [{"name": "a", "to": target}]})
    ((said, _),) = problems(tmp_path, text).values()
    assert said == f"needs a target: {NEEDS}"
    text = yaml.safe_dump({"routing": {"default": target}})
    assert [*problems(tmp_path, text)] == ["routing.default[1]"]


def test_a_name_stands_for_one_rule(tmp_path: Path) -> None:
    rule = {"name": "a", "to": "mattermost:c"}
    ((said, _),) = problems(tmp_path, yaml.safe_dump({"routes": [rule, rule]})).values()
    assert said == "needs a name of its own for each rule; twice: a"


def test_a_slip_in_a_key_is_met_with_what_was_meant(tmp_path: Path) -> None:
    text = "routes: [{name: a, to: 'mattermost:c', continues: true}]\n"
    with pytest.raises(ConfigProblems, match="did you mean 'continue'"):
        load(written(tmp_path, text), environ={})
    with pytest.raises(ConfigProblems, match="unknown key"):
        load(written(tmp_path, text.replace("continues", "goes_on")), environ={})


def test_what_is_shown_is_read_back_as_the_same(tmp_path: Path) -> None:
    config = load(written(tmp_path, ROUTES.replace("token: abc", "token: x")))
    shown = show(config).replace("***", "x")
    assert "continue: true" in shown
    assert load(written(tmp_path, shown)).routes == config.routes


def test_a_reload_takes_them_up() -> None:
    rule = RouteRule.model_validate({"name": "a", "to": "mattermost:c"})
    fresh: dict[str, Any] = {"routes": [rule], "routing": {"strict": True}}
    reload = merge(Config(), Config.model_validate(fresh))
    assert (reload.changed, reload.late) == (("routes", "routing"), ())
    assert reload.config.routes == (rule,)


def test_what_does_nothing_is_warned_of(tmp_path: Path) -> None:
    text = ROUTES.replace("continue: true", "when: ''").replace(
        "    when: event.event_type == 'command' and"
        " event.message.text.startswith('/ban')\n",
        "",
    )
    unasked, unnamed = load_with_warnings(written(tmp_path, text), environ={}).warnings
    assert (unasked.path, unasked.line) == ("routes[2]", 7)
    assert unasked.text == "is never asked: 'bans' takes every event"
    assert (unnamed.path, unnamed.line) == ("routes", 3)
    named = "{http_host: 'http://localhost', target_events_processors: {a: route},"
    fine = ROUTES.replace('{http_host: "http://localhost",', named)
    warnings = load_with_warnings(written(tmp_path, fine), environ={}).warnings
    assert ["no event 'a' is known"] == [each.text for each in warnings]


def test_commands_and_buttons_are_events_to_act_on(tmp_path: Path) -> None:
    text = """\
mattermost:
  http_host: http://localhost
  token: abc
  listen_channels: ["*"]
  target_events_processors: {command: [route], button: [route], commands: [route]}
"""
    (warning,) = load_with_warnings(written(tmp_path, text), environ={}).warnings
    assert "'commands'" in warning.text
