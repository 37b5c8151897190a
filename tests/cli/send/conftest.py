"""A town to send to, and a daemon that does what waits in the queue."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from malexbot.cli import following, main
from malexbot.messengers.mattermost.chat import MattermostChat
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.link import Link
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.runner import Runner, Work
from malexbot.pipeline.sends import ChatPosts
from malexbot.sandbox.fixtures import Mattermost, mattermost
from malexbot.storage.database import Database
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.leadership import Leadership
from malexbot.storage.outbox import POST
from tests.cli.test_database import config

__all__ = ["mattermost"]
Run = Callable[..., Result]


class Daemon:
    """Holds the lock and sends what waits."""

    def __init__(self, database: Database, mattermost: Mattermost) -> None:
        self.leadership = Leadership(database.dsn)
        assert self.leadership.try_take()
        self._link = Link(url=f"{mattermost.url}/api/v4", token=mattermost.town.token)
        self._jobs = DatabaseJobs(database, epoch=lambda: self.leadership.epoch)
        chats = {"mattermost": MattermostChat(Client(self._link))}
        posts = ChatPosts(chats=chats, jobs=self._jobs)
        self._runner = Runner(jobs=self._jobs, handlers={POST: posts})
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._link.close()
        self.leadership.close()

    def _work(self) -> None:
        while not self._stop.wait(0.02):
            for job in self._jobs.claim(kinds=[POST], limit=9, lease_s=90):
                work = Work(job, Hold(lease_s=90, time_out_s=60))
                self._runner.run(work, goes_on=False)


@pytest.fixture
def daemon(database: Database, mattermost: Mattermost) -> Iterator[Daemon]:
    made = Daemon(database, mattermost)
    yield made
    made.stop()


@pytest.fixture
def sending(daemon: Daemon) -> Daemon:
    """A daemon that is at work."""
    daemon.start()
    return daemon


@pytest.fixture
def run(
    database: Database,
    mattermost: Mattermost,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """`malexbot send`; url says where the server is, if it is not the town's."""
    monkeypatch.setattr(following, "LOOK_S", 0.02)
    monkeypatch.setattr(following, "ALONE_S", 0.5)

    def invoke(*args: object, url: str = "", input: str | None = None) -> Result:
        file = config(database.dsn, tmp_path / "malexbot.yaml")
        settings = yaml.safe_load(file.read_text())
        settings["mattermost"] = {
            "http_host": url or mattermost.url,
            "token": mattermost.town.token,
        }
        file.write_text(yaml.safe_dump(settings))
        words = ["send", "--config", str(file), *map(str, args)]
        return CliRunner().invoke(main, words, input=input)

    return invoke
