"""Erased and expired content is nowhere: in no table, and in no file."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from malexbot.sandbox.fixtures import Mattermost, mattermost
from malexbot.storage.database import Database
from malexbot.storage.embedded import Embedded
from malexbot.storage.tables import find_tables
from tests.process.conftest import Start
from tests.support.threads import eventually

__all__ = ["mattermost"]

pytestmark = pytest.mark.untraced
Write = Callable[..., Path]

DAY_MS = 86_400_000
# Words that nothing else has; long enough not to be there by chance.
SAID, EDITED, PREVIEWED, MARK, LATER, FILED = (
    "kumquatsaid",
    "kumquatedited",
    "kumquatpreviewed",
    "kumquatmark",
    "kumquatlater",
    "kumquatfiled",
)
OTHER, NEWEST = "pomelo", "pomelonewest"


def malexbot(config: Path, *words: str) -> str:
    """Run a command of ours; what it said."""
    command = [sys.executable, "-m", "malexbot", *words, "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def settings(mattermost: Mattermost, **archive: Any) -> dict[str, Any]:
    block = {
        "http_host": mattermost.url,
        "token": mattermost.town.token,
        "listen_channels": ["malex/general"],
        "target_events_processors": {"posted": ["save", "response"]},
    }
    rules = [{"when": "'kumquat' in event.message.text", "reply": "noted"}]
    return {"mattermost": block, "responses": rules, "archive": archive}


def with_file(mattermost: Mattermost, text: str, said: str, **other: Any) -> None:
    """Alice says something, and hangs a file on it."""
    town, scene = mattermost.town, mattermost.scene
    file = scene.upload(town.alice, f"{FILED}.txt", text)
    scene.post(town.channel, town.alice, said, file_ids=(file,), **other)


def stop(daemon: Any) -> None:
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0


def in_tables(state: Path, word: str) -> list[str]:
    """The tables with a row that has this word, whatever the columns are."""
    found = []
    with Embedded(state) as server, Database(server.dsn) as database:
        with database.transaction() as cursor:
            for name in [table.name for table in find_tables(cursor)]:
                cursor.execute(
                    f"SELECT count(*) FROM (SELECT t::text FROM {name} t) r (told)"
                    " WHERE position(%s IN told) > 0 OR position(%s IN told) > 0",
                    (word, word.encode().hex()),
                )
                if cursor.fetchone() != (0,):
                    found.append(name)
    return found


def in_files(state: Path, word: str) -> list[str]:
    """The files of the state directory with these bytes, whatever they are for."""
    return [
        str(file.relative_to(state))
        for file in state.rglob("*")
        if file.is_file() and word.encode() in file.read_bytes()
    ]


@pytest.fixture
def state(folder: Path) -> Iterator[Path]:
    yield folder / "state"


def test_what_was_erased_is_nowhere_after_a_full_backfill(
    start: Start, write_config: Write, state: Path, mattermost: Mattermost
) -> None:
    town, scene = mattermost.town, mattermost.scene
    scene.post(town.channel, town.alice, f"{SAID} before")
    with_file(mattermost, FILED, f"{SAID} with a file")
    mattermost.settings.has_previews = True
    about = scene.post(town.channel, town.bob, f"{OTHER} of bob")
    config = write_config("one", None, **settings(mattermost, files="keep"))
    daemon = start(config)
    daemon.wait_for_status("mattermost: connected")
    live = scene.post(town.channel, town.alice, f"{SAID} now")
    scene.edit(live, f"{EDITED} now")
    scene.react(about, town.alice, MARK)
    linked = scene.post(town.channel, town.alice, PREVIEWED)
    link = f"{mattermost.url}/malex/pl/{linked}"
    scene.post(town.channel, town.bob, f"{OTHER} {link}")
    eventually(lambda: "posts" in in_tables(state, link))
    for word in (EDITED, MARK):
        eventually(lambda word=word: in_tables(state, word))  # type: ignore[misc]
    assert in_files(state, SAID) and in_files(state, EDITED)
    eventually(lambda: list(state.glob("files/??/*")))
    (filed,) = state.glob("files/??/*")
    assert filed.read_text() == FILED

    told = malexbot(config, "erase-user", town.alice, "--yes")
    assert "  4  posts\n" in told and "  1  files\n" in told
    assert not filed.exists() and "  1  earlier versions\n" in told

    with_file(mattermost, FILED, f"{LATER} than that")
    scene.post(town.channel, town.bob, f"{link} again")
    scene.post(town.channel, town.bob, f"{OTHER} {NEWEST}")
    eventually(lambda: in_tables(state, NEWEST))
    malexbot(config, "backfill", "--since", "2000-01-01")
    stop(daemon)
    for word in (SAID, EDITED, PREVIEWED, MARK, LATER, FILED):
        assert in_tables(state, word) == [], word
        assert in_files(state, word) == [], word
    assert "posts" in in_tables(state, OTHER)


def test_what_has_expired_is_nowhere_after_a_full_backfill(
    start: Start, write_config: Write, state: Path, mattermost: Mattermost
) -> None:
    town, scene = mattermost.town, mattermost.scene
    now = int(time.time() * 1000)
    old = scene.post(town.channel, town.alice, SAID, create_at=now - 3 * DAY_MS)
    with_file(mattermost, FILED, SAID, create_at=now - 3 * DAY_MS)
    scene.post(town.channel, town.alice, OTHER)
    config = write_config("one", None, **settings(mattermost, files="keep"))
    daemon = start(config)
    daemon.wait_for_status("1 of 1 channels read")
    eventually(lambda: list(state.glob("files/??/*")))
    stop(daemon)
    assert in_tables(state, SAID) != []

    wishes = {"retention": "2d", "files": "keep"}
    config = write_config("two", None, **settings(mattermost, **wishes))
    daemon = start(config)
    daemon.wait_for_log("posts were too old to be kept")
    malexbot(config, "backfill", "--since", "2000-01-01")
    scene.edit(old, EDITED)
    scene.post(town.channel, town.alice, f"{OTHER} {NEWEST}")
    eventually(lambda: in_tables(state, NEWEST))
    malexbot(config, "database", "scrub")
    stop(daemon)
    for word in (SAID, EDITED, FILED):
        assert in_tables(state, word) == [], word
        assert in_files(state, word) == [], word


def test_a_retention_counts_by_the_servers_clock_and_can_be_made_longer(
    start: Start, write_config: Write, state: Path, mattermost: Mattermost
) -> None:
    town, scene = mattermost.town, mattermost.scene
    now = int(time.time() * 1000)
    mattermost.clock.shift(-DAY_MS)
    scene.post(town.channel, town.alice, SAID, create_at=now - 5 * DAY_MS)
    # For us it is too old, for the server it is not.
    scene.post(town.channel, town.alice, LATER, create_at=now - 5 * DAY_MS // 2)
    scene.post(town.channel, town.alice, NEWEST)
    config = write_config("one", None, **settings(mattermost, retention="2d"))
    daemon = start(config)
    daemon.wait_for_status("1 of 1 channels read")
    assert "posts" in in_tables(state, LATER)
    malexbot(config, "backfill", "--since", "2000-01-01")
    assert "posts" not in in_tables(state, SAID)

    config.write_text(config.read_text().replace("retention: 2d", "retention: 10d"))
    daemon.signal(signal.SIGHUP)
    daemon.wait_for_log("changed: archive")
    malexbot(config, "backfill", "--since", "2000-01-01")
    assert "posts" in in_tables(state, SAID)
    stop(daemon)
