"""Files of kept posts come, whatever breaks on the way, and lie there once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from malexbot.sandbox.daemon import DaemonProcess
from malexbot.sandbox.fixtures import Mattermost, mattermost
from malexbot.storage.dsn import Dsn
from tests.process.conftest import Start
from tests.process.test_daemon import port_of
from tests.support.threads import eventually

__all__ = ["mattermost"]

pytestmark = pytest.mark.untraced
Write = Callable[..., Path]

# Some seconds in small pieces.
LONG = "".join(f"line {number:07}\n" for number in range(250_000))
PIECE, GAP_S = 65_536, 0.05


@pytest.fixture
def state(folder: Path) -> Path:
    return folder / "state"


@pytest.fixture
def configured(
    write_config: Write, mattermost: Mattermost, empty_database: Dsn
) -> Callable[..., Path]:
    def write(**archive: Any) -> Path:
        block = {
            "http_host": mattermost.url,
            "token": mattermost.town.token,
            "listen_channels": ["malex/general"],
            "target_events_processors": {"posted": ["save"]},
        }
        wishes = {"files": "keep"} | archive
        return write_config("one", empty_database, mattermost=block, archive=wishes)

    return write


def say(mattermost: Mattermost, text: str, *contents: str, **other: Any) -> list[str]:
    """A post of alice with these files; their ids."""
    town, scene = mattermost.town, mattermost.scene
    ids = [scene.upload(town.alice, "notes.txt", content) for content in contents]
    scene.post(town.channel, town.alice, text, file_ids=tuple(ids), **other)
    return ids


def kept(state: Path) -> list[str]:
    """What lies there whole."""
    paths = state.glob("files/??/*")
    return sorted(path.read_text() for path in paths if path.is_file())


def part(state: Path) -> int:
    """How much lies there of what is on its way."""
    return sum(path.stat().st_size for path in state.glob("files/partial/*.*"))


def readings(config: Path) -> dict[str, Any]:
    with urlopen(f"http://127.0.0.1:{port_of(config)}/status") as answer:
        told: dict[str, Any] = json.load(answer)["readings"]
        return told


def fetched(config: Path) -> int:
    """How many bytes of files this daemon has got."""
    return int(readings(config)["malexbot_files_fetched_bytes_total"])


def malexbot(config: Path, *words: str) -> str:
    command = [sys.executable, "-m", "malexbot", *words, "--config", str(config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300).stdout


def files_of(config: Path) -> Any:
    """What `malexbot status` tells of them."""
    return json.loads(malexbot(config, "status", "--json"))["database"]["files"]


def connect(start: Start, config: Path, more: str | None = None) -> DaemonProcess:
    daemon = start(config, more)
    daemon.wait_for_status("mattermost: connected")
    return daemon


def test_files_of_before_and_of_now_are_kept_each_content_once(
    start: Start,
    configured: Callable[..., Path],
    state: Path,
    mattermost: Mattermost,
    tmp_path: Path,
) -> None:
    say(mattermost, "before", "one")
    (lost,) = say(mattermost, "lost", "lost")
    mattermost.scene.lose_file(lost)
    config = configured(largest_file="1kB")
    connect(start, config)
    eventually(lambda: kept(state) == ["one"])
    say(mattermost, "now", "one", "two", "")
    say(mattermost, "large", "x" * 1001)
    eventually(lambda: kept(state) == ["", "one", "two"])
    eventually(
        lambda: part(state) == 0
        and readings(config)["malexbot_files_fetched_total"] == 4
    )

    assert files_of(config) == {
        "states": {"kept": 4, "gone": 1, "too large": 1},
        "bytes": 6,
        "is_whole": True,
    }
    shown = malexbot(config, "status")
    assert "4 kept (6 B), 1 too large, 1 gone from the server" in shown
    assert "6 files, 1.0 kB; 4 of them kept here, 9 B" in malexbot(config, "stats")

    page = tmp_path / "page.html"
    malexbot(config, "export", "--out", str(page))
    links = [word for word in page.read_text().split('"') if word.startswith("file:")]
    there = [Path(link.removeprefix("file://")).read_text() for link in links]
    assert sorted(there) == ["", "one", "one", "two"]


def test_what_was_cut_off_goes_on_where_it_was(
    start: Start, configured: Callable[..., Path], state: Path, mattermost: Mattermost
) -> None:
    config = configured()
    connect(start, config)
    mattermost.faults.slow(chunk=PIECE, gap_s=GAP_S)
    say(mattermost, "long", LONG)
    eventually(lambda: part(state) > PIECE)
    mattermost.faults.cut()
    eventually(lambda: kept(state) == [LONG])
    eventually(lambda: fetched(config) == len(LONG))


def test_kill_9_in_the_middle_loses_nothing(
    start: Start, configured: Callable[..., Path], state: Path, mattermost: Mattermost
) -> None:
    config = configured()
    daemon = connect(start, config)
    mattermost.faults.slow(chunk=PIECE, gap_s=GAP_S)
    say(mattermost, "long", LONG)
    eventually(lambda: part(state) > PIECE)
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    came = part(state)
    assert PIECE < came < len(LONG)
    mattermost.faults.heal()
    connect(start, config)
    eventually(lambda: kept(state) == [LONG])
    eventually(lambda: fetched(config) == len(LONG) - came)


def test_a_stop_does_not_wait_for_a_long_file(
    start: Start, configured: Callable[..., Path], state: Path, mattermost: Mattermost
) -> None:
    config = configured()
    daemon = connect(start, config)
    mattermost.faults.slow(chunk=PIECE // 4, gap_s=GAP_S)
    say(mattermost, "long", LONG)
    eventually(lambda: part(state) > PIECE)
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert "left behind" not in daemon.log
    assert 0 < part(state) < len(LONG)


def test_who_is_erased_while_a_file_comes_leaves_nothing_of_it(
    start: Start, configured: Callable[..., Path], state: Path, mattermost: Mattermost
) -> None:
    config = configured()
    daemon = connect(start, config)
    # It still comes when the command has begun, on a busy machine too.
    mattermost.faults.slow(chunk=PIECE, gap_s=4 * GAP_S)
    say(mattermost, "long", LONG)
    eventually(lambda: part(state) > PIECE)
    malexbot(config, "erase-user", mattermost.town.alice, "--yes", "--quick")
    assert part(state) == 0
    eventually(lambda: "it is here, or its post is not kept" in daemon.log)
    assert kept(state) == [] and part(state) == 0


def test_a_reload_switches_it_on_and_what_was_archived_before_comes_too(
    start: Start, configured: Callable[..., Path], state: Path, mattermost: Mattermost
) -> None:
    config = configured(files="ignore")
    say(mattermost, "before", "one")
    daemon = connect(start, config)
    daemon.wait_for_status("1 of 1 channels read")
    say(mattermost, "now", "two")
    eventually(lambda: files_of(config)["states"] == {"waiting": 2})
    assert not (state / "files").exists()
    config.write_text(config.read_text().replace("files: ignore", "files: keep"))
    daemon.signal(signal.SIGHUP)
    eventually(lambda: kept(state) == ["one", "two"])


def test_a_full_disk_is_told_loses_nothing_and_heals(
    start: Start, configured: Callable[..., Path], state: Path, mattermost: Mattermost
) -> None:
    config = configured()
    daemon = connect(start, config, "full-disk")
    say(mattermost, "first", "one")
    eventually(lambda: kept(state) == ["one"])
    mark = state.with_name("full")
    mark.touch()
    say(mattermost, "second", "two")
    daemon.wait_for_status("No space left on device")
    shown = malexbot(config, "status")
    assert "files are not kept:" in shown and f"df -h {state}" in shown
    mark.unlink()
    eventually(lambda: kept(state) == ["one", "two"])
    daemon.wait_until(lambda: "No space left" not in daemon.status)
    eventually(lambda: json.loads(malexbot(config, "status", "--json"))["is_well"])


def test_files_come_side_by_side_within_the_rate_limit(
    start: Start, configured: Callable[..., Path], state: Path, mattermost: Mattermost
) -> None:
    config = configured()
    connect(start, config)
    mattermost.settings.rate_per_s, mattermost.settings.rate_burst = 20, 10
    contents = [f"content {number:02}" for number in range(40)]
    for at in range(0, 40, 5):
        say(mattermost, "several", *contents[at : at + 5])
    eventually(lambda: kept(state) == contents)
    assert os.listdir(state / "files" / "partial") == []
