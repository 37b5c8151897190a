"""What is said on the server is found a moment later, by the index of a real daemon."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from malexbot.cli import main
from malexbot.sandbox.fixtures import (
    Mattermost,
    StartDaemon,
    malexbot_daemon,
    mattermost,
)
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.indexing import find_lag
from tests.support.settings import db_block
from tests.support.threads import eventually

__all__ = ["malexbot_daemon", "mattermost"]

pytestmark = pytest.mark.untraced


def test_what_is_said_changed_and_deleted_is_found_as_it_is_now(
    mattermost: Mattermost,
    empty_database: Dsn,
    malexbot_daemon: StartDaemon,
    tmp_path: Path,
) -> None:
    town, scene = mattermost.town, mattermost.scene
    block = db_block(empty_database)
    block["password"] = block["password"] or "none"
    settings = {
        "http_host": mattermost.url,
        "token": town.token,
        "listen_channels": ["*"],
        "target_events_processors": {"posted": ["save"]},
    }
    file = tmp_path / "search.yaml"
    config = {"db": block, "mattermost": settings, "state_dir": str(tmp_path)}
    file.write_text(json.dumps(config))

    def found(words: str) -> list[str]:
        command = ["search", "--config", str(file), "--json", words]
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 0, result.output
        return [json.loads(line)["link"] for line in result.stdout.splitlines()]

    before = scene.post(town.channel, town.alice, "серверы до нас")
    malexbot_daemon(mattermost=settings, db=block)
    with Database(empty_database) as database:

        def is_indexed(posts: int) -> bool:
            with database.transaction() as cursor:
                cursor.execute("SELECT count(*) FROM post_words")
                return cursor.fetchone() == (posts,) and find_lag(database).posts == 0

        post = scene.post(town.channel, town.alice, "Серверы упали")
        eventually(lambda: is_indexed(2))
        link = f"{mattermost.url}/malex/pl"
        assert sorted(found("сервером")) == sorted(
            [f"{link}/{post}", f"{link}/{before}"]
        )
        scene.edit(post, "deployed again")
        eventually(lambda: found("deploying") == [f"{link}/{post}"])
        scene.delete(before)
        eventually(lambda: found("сервером") == [])
        eventually(lambda: find_lag(database).posts == 0)
        assert found("сервером") == []
        assert found("deploy") == [f"{link}/{post}"]
