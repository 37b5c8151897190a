"""The whole pipe on a real PostgreSQL: from what comes in to what is said, once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from malexbot.config.responses import ResponseRule
from malexbot.errors import Transient, Uncertain
from malexbot.pipeline.audience import Audience, Heard
from malexbot.pipeline.decider import Decider
from malexbot.pipeline.effects import POST, REACT
from malexbot.pipeline.guard import LoopGuard
from malexbot.pipeline.intake import Intake
from malexbot.pipeline.lanes import Lanes
from malexbot.pipeline.runner import Runner
from malexbot.pipeline.runs import RUN, ProcessorRuns
from malexbot.pipeline.sends import ChatPosts, ChatReactions
from malexbot.processors.response import Response
from malexbot.processors.save import Save
from malexbot.runtime.health import Health
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from tests.support.events import BOT, NOW, edited, posted
from tests.support.fakes import Failing, MemoryChat
from tests.support.threads import Running, eventually

QUESTION = "'ask' in event.message.text"


class Pipe:
    """All the parts between a messenger's two ends."""

    def __init__(self, database: Database, leadership: Leadership) -> None:
        self.fail = Failing()
        self.chat = MemoryChat(time.monotonic, self.fail)
        self.jobs = DatabaseJobs(database, epoch=lambda: leadership.epoch)
        rules = [
            {"when": QUESTION, "reply": "answer to {{ event.event_id }}"},
            {"when": "'eyes' in event.message.text", "react": "eyes"},
            {"when": "'calm' in event.message.text", "reply": "calm", "cooldown": "1h"},
        ]
        response = Response([ResponseRule.model_validate(rule) for rule in rules])
        decider = Decider(
            processors={"posted": [Save(contains=["keep", "ask"]), response]},
            audience=Audience(Heard(BOT, {"c1", "c2"})),
            server_now_ms=lambda: NOW,
        )
        chats = {"mattermost": self.chat}
        runs = ProcessorRuns(
            decider=decider,
            chats=chats,
            guard=LoopGuard(1000),
        )
        handlers = {
            RUN: runs,
            POST: ChatPosts(chats=chats, jobs=self.jobs),
            REACT: ChatReactions(chats),
        }
        self.lanes = Lanes(
            jobs=self.jobs,
            runner=Runner(jobs=self.jobs, handlers=handlers),
            health=Health(),
        )
        self.intake = Intake(
            journal=DatabaseJournal(leadership),
            decider=decider,
            workers=self.lanes,
            health=Health(),
        )
        self._database = database

    def states(self) -> Counter[str]:
        with self._database.transaction() as cursor:
            cursor.execute("SELECT state FROM jobs")
            return Counter(str(state) for (state,) in cursor.fetchall())

    def archived(self) -> dict[str, str]:
        with self._database.transaction() as cursor:
            cursor.execute("SELECT id, message FROM posts")
            return dict(cursor.fetchall())


@pytest.fixture
def pipe(migrated_database: Dsn) -> Iterator[Pipe]:
    with ExitStack() as stack:
        leadership = Leadership(migrated_database)
        stack.callback(leadership.close)
        assert leadership.try_take()
        database = stack.enter_context(Database(migrated_database))
        made = Pipe(database, leadership)
        stack.enter_context(Running(made.lanes))
        stack.enter_context(Running(made.intake))
        yield made


def test_what_is_kept_is_kept_and_what_is_asked_is_answered(pipe: Pipe) -> None:
    for event in (
        posted("a1", "keep this"),
        posted("a2", "forget this"),
        posted("a3", "ask and eyes", channel_id="c2"),
        posted("a1", "keep this")._replace(origin="backfill"),
        edited("a1", "keep that"),
        posted("a3", "ask and eyes", channel_id="c2")._replace(origin="backfill"),
    ):
        assert pipe.intake.offer(event)
    eventually(lambda: pipe.chat.messages and pipe.chat.reactions)
    eventually(lambda: set(pipe.states()) == {"done"})
    assert pipe.archived() == {"a1": "keep that", "a3": "ask and eyes"}
    assert pipe.chat.messages == ["answer to a3"]
    assert pipe.states() == {"done": 3}


def test_trouble_on_the_way_changes_nothing_of_it(pipe: Pipe) -> None:
    pipe.fail.at("sent", Uncertain("the line broke"), Uncertain("once more"))
    pipe.fail.at("send", Transient("refused"))
    names = [f"p{n}" for n in range(10)]
    for name in names:
        assert pipe.intake.offer(posted(name, f"ask {name}"))
    eventually(lambda: pipe.states() == {"done": 20})
    assert pipe.chat.messages == [f"answer to {name}" for name in names]


def test_the_queue_keeps_a_cooldown(pipe: Pipe) -> None:
    for name in ("p1", "p2", "p3"):
        assert pipe.intake.offer(posted(name, "calm down"))
    assert pipe.intake.offer(posted("p4", "calm down", channel_id="c2"))
    eventually(lambda: pipe.states() == {"done": 6})
    assert pipe.chat.messages == ["calm", "calm"]
    channels = [payload["channel_id"] for _, payload in pipe.chat.posts]
    assert sorted(channels) == ["c1", "c2"]
