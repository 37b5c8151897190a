"""`malexbot route test`: which rule takes an event, and why the others do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from malexbot.bus import encode
from malexbot.cli import main
from tests.support.events import posted

RULES: list[dict[str, Any]] = [
    {
        "name": "bans",
        "when": "event.event_type == 'command'"
        " and event.message.text.startswith('/ban')",
        "to": ["mattermost:moderators", "mattermost:log"],
    },
    {
        "name": "loud",
        "when": "event.message.text.isupper()",
        "to": "mattermost:{{ event.peer.bpid }}",
        "continue": True,
    },
    {"name": "long", "when": "event.message.text|length > 20", "to": "mattermost:l"},
]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return written(tmp_path)


def written(folder: Path, **more: Any) -> Path:
    mattermost = {
        "http_host": "http://localhost",
        "token": "abc",
        "listen_channels": ["*"],
        "target_events_processors": {"posted": ["route"]},
    }
    settings = {"mattermost": mattermost, "routes": RULES, **more}
    file = folder / "malexbot.yaml"
    file.write_text(json.dumps(settings))
    return file


def ask(config: Path, event: Any, *words: str) -> Result:
    text = event if isinstance(event, (str, bytes)) else json.dumps(event)
    args = ["route", "test", "--config", str(config), "--event", "-", *words]
    return CliRunner().invoke(main, args, input=text)


def test_it_tells_who_takes_it_and_who_is_not_asked(config: Path) -> None:
    done = ask(config, {"event_type": "command", "message": {"text": "/ban eve"}})
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "bans  takes it   -> mattermost:moderators, mattermost:log",
        "loud  not asked  bans takes it and does not continue",
        "long  not asked  bans takes it and does not continue",
    ]


def test_it_tells_what_does_not_hold_and_what_the_event_says(config: Path) -> None:
    done = ask(config, {"event_type": "command", "message": {"text": "/kick eve"}})
    assert done.exit_code == 1
    assert done.stdout.splitlines()[:2] == [
        "bans  no         event.message.text.startswith('/ban')",
        "                 event.message.text is '/kick eve'",
    ]
    assert done.stderr == "nobody takes it; routing.default would\n"


def test_a_rule_that_continues_lets_the_next_be_asked(config: Path) -> None:
    event = {"message": {"text": "H" * 30}, "peer": {"bpid": "c7"}}
    told = json.loads(ask(config, event, "--json").stdout)
    assert told["targets"] == ["mattermost:c7", "mattermost:l"]
    assert [each["outcome"] for each in told["rules"]] == ["no", "takes it", "takes it"]


def test_programs_read_an_object(config: Path) -> None:
    done = ask(config, encode(posted("p1", "hi")), "--json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert (told["event_id"], told["is_routed"], told["targets"]) == ("p1", False, [])
    assert told["rules"][0] == {
        "name": "bans",
        "outcome": "no",
        "why": "event.event_type == 'command'",
        "asked": {"event.event_type": "message"},
        "targets": [],
    }


def test_a_slash_command_is_the_message_that_it_was_typed_as(config: Path) -> None:
    event = {"event_type": "command", "command": {"name": "/ban", "text": "eve"}}
    assert "bans  takes it" in ask(config, event).stdout


def test_the_rest_goes_to_the_default(tmp_path: Path) -> None:
    config = written(tmp_path, routing={"default": "mattermost:rest"})
    done = ask(config, {"message": {"text": "hi"}})
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == "default  takes it   -> mattermost:rest"
    loud = ask(config, {"message": {"text": "HI"}, "peer": {"bpid": "c"}})
    assert "default" not in loud.stdout


def test_strict_is_told_when_nobody_takes_it(tmp_path: Path) -> None:
    done = ask(written(tmp_path, routing={"strict": True}), {})
    assert done.stderr == "nobody takes it: with routing.strict it is a dead job\n"


def test_a_target_that_comes_to_nothing_lets_it_go_nowhere(config: Path) -> None:
    done = ask(config, {"message": {"text": "HI"}})
    assert done.exit_code == 1
    assert "loud  fails" in done.stdout
    assert "dead" in done.stderr


def test_a_condition_that_cannot_be_worked_out_is_told_as_that(
    tmp_path: Path,
) -> None:
    odd = {"name": "odd", "when": "event.message.text / 2 > 1", "to": "mattermost:c"}
    done = ask(written(tmp_path, routes=[odd]), {"message": {"text": "hi"}})
    assert "cannot be worked out, which counts as no" in done.stdout


def test_a_processor_that_no_event_has_is_told(tmp_path: Path) -> None:
    settings = {"http_host": "http://localhost", "token": "abc"}
    config = written(tmp_path, mattermost=settings)
    done = ask(config, {"event_type": "command", "message": {"text": "/ban"}})
    assert done.exit_code == 0
    assert done.stderr.startswith("no event has the processor `route`")


def test_without_rules_that_is_told(tmp_path: Path) -> None:
    done = ask(written(tmp_path, routes=[]), {})
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("there are no rules: write them below `routes`")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "this is no JSON"),
        ("[]", "this is no event: needs a map"),
        ('{"message": {"text": 5}}', "message.text needs text"),
        ('{"schema": 9}', "form 9"),
        ('{"peer": 5}', "peer needs a map"),
    ],
)
def test_what_is_no_event_is_refused(text: str, said: str, config: Path) -> None:
    done = ask(config, text)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_key_that_no_event_has_is_told(config: Path) -> None:
    done = ask(config, {"event_typ": "command", "message": {"txt": "/ban"}})
    assert done.stderr.splitlines()[:2] == [
        "event_typ: no key of an event; did you mean 'event_type'?",
        "message.txt: no key of an event; did you mean 'text'?",
    ]


def test_a_wrong_configuration_is_told_first(tmp_path: Path) -> None:
    config = written(tmp_path, routes=[{"name": "a", "to": "redis:commands"}])
    done = ask(config, {})
    assert done.exit_code == 78
    assert "no Redis is in the settings" in done.stderr


def test_what_an_event_says_cannot_steer_the_terminal(config: Path) -> None:
    done = ask(config, {"event_type": "\x1b[31mred", "message": {"text": "x"}})
    assert "\x1b" not in done.stdout
