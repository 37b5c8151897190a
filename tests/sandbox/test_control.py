"""A sandbox in a process of its own, driven from outside."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from malexbot.sandbox.__main__ import main
from malexbot.sandbox.control import Control, ControlError
from malexbot.sandbox.process import SandboxProcess
from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.town import build
from tests.sandbox.clients import Client, Rest, message

Start = Callable[..., tuple[Control, "subprocess.Popen[str]"]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts sandboxes; all are gone at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> tuple[Control, subprocess.Popen[str]]:
        process = subprocess.Popen(
            [sys.executable, "-m", "malexbot.sandbox", "--until-eof", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())
        assert address["pid"] == process.pid
        return Control(url=address["url"], door=address["door"]), process

    yield start
    for process in started:
        with process:
            process.kill()


def test_the_parts_have_the_same_names_outside(start: Start) -> None:
    control, process = start()
    town = build(control.scene)
    made = control.scene.post(
        channel_id=town.channel, user_id=town.alice, message="hello"
    )
    with Rest(control.url, town.token) as bot:
        page = bot.get(f"/channels/{town.channel}/posts")
        assert page["order"][0] == made
        control.faults.fail(status=503, times=1)
        assert bot("GET", "/users/me").status_code == 503
    control.scene.react(post_id=made, user_id=town.bot, emoji="eyes")
    (reaction,) = control.scene.reactions(user_id=town.bot)
    assert (reaction["post_id"], reaction["emoji_name"]) == (made, "eyes")
    assert control.scene.reactions(user_id=town.alice) == []
    lost = control.ledger.lost(archived=[], channel_id=town.channel)
    assert [row["why"] for row in lost] == ["missing"]
    at: int = control.clock.freeze()
    assert at > 0
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(10) == 0


def test_a_town_is_there_if_asked_for() -> None:
    words = [sys.executable, "-m", "malexbot.sandbox", "--until-eof", "--town"]
    with subprocess.Popen(words, stdin=-1, stdout=-1, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        told = json.loads(process.stdout.readline())
        with Rest(told["url"], told["town"]["token"]) as bot:
            assert bot.get("/users/me")["id"] == told["town"]["bot"]
        process.stdin.close()


def test_a_world_that_is_there_gets_no_town(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    words = ["--town", "--state", str(tmp_path / "state")]
    with pytest.raises(SystemExit):
        main(words)


def test_settings_come_by_the_command_line(start: Start) -> None:
    control, _ = start("--settings", '{"version": "9.11.0"}')
    town = build(control.scene)
    with Rest(control.url, town.token) as bot:
        assert bot.get("/config/client?format=old")["Version"] == "9.11.0"


def test_sigterm_ends_it(start: Start) -> None:
    _, process = start()
    process.terminate()
    assert process.wait(10) == 0


def test_after_a_kill_everything_is_there_again(start: Start, tmp_path: Path) -> None:
    state = tmp_path / "state.jsonl"
    control, process = start("--state", str(state))
    town = build(control.scene)
    scene = control.scene

    def say(text: str, root: str = "") -> str:
        return scene.post(
            channel_id=town.channel, user_id=town.alice, message=text, root_id=root
        )

    root, gone, edited = say("root"), say("gone"), say("old")
    say("reply", root)
    scene.edit(post_id=edited, message="new")
    scene.delete(post_id=gone)
    scene.react(post_id=root, user_id=town.bob, emoji="tada")
    scene.leave(channel_id=town.second, user_id=town.bot)

    def look(control: Control) -> list[Any]:
        with Rest(control.url, town.token) as bot:
            paths = ("?per_page=200", "?since=1")
            channel = f"/channels/{town.channel}"
            found = [bot.get(f"{channel}/posts{path}") for path in paths]
            teams = f"/users/me/teams/{town.team}/channels"
            return [*found, bot.get(channel), bot.get(teams)]

    before, ledger = look(control), control.ledger.entries()
    process.kill()
    process.wait()
    again, _ = start("--state", str(state))
    assert look(again) == before
    assert again.ledger.entries() == ledger


def test_a_torn_last_line_is_cut_off(start: Start, tmp_path: Path) -> None:
    state = tmp_path / "state.jsonl"
    with Sandbox(state=state) as sandbox:
        town = build(sandbox.scene)
    whole = state.read_bytes()
    state.write_bytes(whole + b'["posts", {"id": "half')
    with Sandbox(state=state) as sandbox, Rest(sandbox.url, town.token) as bot:
        assert bot.get("/users/me")["id"] == town.bot
    assert state.read_bytes() == whole


def test_a_restart_from_outside_cuts_the_sockets(start: Start) -> None:
    control, _ = start()
    town = build(control.scene)
    with Client(control.url, town.token) as client:
        client.upto_reply()
        assert control.sockets() == 1
        assert control.panics() == 0
        control.restart()
        assert client.is_closed()
    with Client(control.url, town.token) as client:
        client.upto_reply()
        control.scene.post(
            channel_id=town.channel, user_id=town.alice, message="after it"
        )
        assert message(client.until("posted")) == "after it"


def test_no_fault_shuts_the_door(start: Start) -> None:
    control, _ = start()
    control.faults.fail(status=500)
    control.faults.slow(latency_s=3600)
    control.faults.half_open()
    control.faults.heal()
    with Rest(control.url) as rest:
        assert rest.get("/system/ping")["status"] == "OK"


def test_a_child_comes_back_at_its_address(tmp_path: Path) -> None:
    child = SandboxProcess(state=tmp_path / "state", settings={"version": "9.11.0"})
    control = child.start()
    try:
        town = build(control.scene)
        child.kill()
        again = child.start()
        assert again.url == control.url
        with Rest(again.url, town.token) as bot:
            assert bot.get("/config/client?format=old")["Version"] == "9.11.0"
        assert child.stop() == 0
        assert child.stop() == 0
    finally:
        child.kill()


def test_a_childs_clock_is_wrong_before_it_can_be_asked(tmp_path: Path) -> None:
    hour_ms = 3_600_000
    child = SandboxProcess(state=tmp_path / "state")
    try:
        for ahead_ms in (0, hour_ms):
            control = child.start(clock_ahead_ms=ahead_ms)
            wrong_ms = control.clock.now_ms() - time.time() * 1000
            assert abs(wrong_ms - ahead_ms) < hour_ms / 2
            child.kill()
    finally:
        child.kill()


@pytest.mark.parametrize("call", ["scene.none", "scene._switch", "scene.world"])
def test_only_what_is_public_can_be_called(start: Start, call: str) -> None:
    control, _ = start()
    part, method = call.split(".")
    with pytest.raises(ControlError, match="no such"):
        getattr(getattr(control, part), method)()


def test_a_refusal_comes_through(start: Start) -> None:
    control, _ = start()
    with pytest.raises(ControlError, match="missing_account"):
        control.scene.add_token(user_id="nobody")
    with pytest.raises(ControlError, match="unexpected keyword"):
        control.faults.cut(**{"wrong": 1})
