"""The same backfill by the real client, on a loopback server."""

from __future__ import annotations

import pytest

from malexbot.messengers.mattermost.backfill import Backfill
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.edits import Edits
from malexbot.messengers.mattermost.hearing import Hearing
from malexbot.messengers.mattermost.means import Means
from malexbot.messengers.mattermost.progress import Progress
from malexbot.messengers.mattermost.reading import Reading
from malexbot.messengers.mattermost.rooms import Listed, Rooms
from malexbot.messengers.mattermost.translate import Translator
from malexbot.messengers.mattermost.walks import CatchUp, History
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop
from malexbot.sandbox.fixtures import Mattermost
from tests.simulation.store import Store

PER_PAGE = 7
MINUTE_MS = 60_000


class Desk:
    """The backfill with a store in the place of intake and database."""

    def __init__(self, mattermost: Mattermost, client: Client) -> None:
        self.mattermost, self.town = mattermost, mattermost.town
        self.store = Store()
        self.rejected: list[bytes] = []
        now_ms = mattermost.clock.now_ms
        hearing = Hearing(now_ms)
        reading = Reading(
            client=client,
            translator=Translator(now_ms),
            reject=self._reject,
            hearing=hearing,
            per_page=PER_PAGE,
        )
        self.backfill = Backfill(
            rooms=Rooms(
                directory=reading,
                bookmarks=self.store,
                listed=Listed(["*"]),
                publish=lambda channels, direct: None,
                now_ms=now_ms,
            ),
            means=Means(
                catch_up=CatchUp(pages=reading, hearing=hearing, now_ms=now_ms),
                edits=Edits(pages=reading, archive=self.store, now_ms=now_ms),
                history=History(reading),
                deliver=lambda events, marks, stop: self.store.write(events, marks),
                settle=lambda stop: None,
                gaps=self.store,
                hearing=hearing,
                progress=Progress(Health()),
                workers=1,
            ),
            wake_at=reading.wake_at,
        )

    def _reject(self, source: str, raw: bytes, reason: str) -> bool:
        self.rejected.append(raw)
        return True

    def read(self) -> bool:
        self.backfill.on_new_connection(self.store.open_connection("", ""))
        return self.backfill.read(Stop())

    def pass_minutes(self, minutes: int) -> None:
        clock = self.mattermost.clock
        clock.freeze(clock.now_ms() + minutes * MINUTE_MS)

    def say(self, count: int) -> list[str]:
        """Ten seconds apart."""
        posts = []
        for number in range(count):
            clock = self.mattermost.clock
            clock.freeze(clock.now_ms() + 10_000)
            town, text = self.town, f"no {number}"
            posts.append(self.mattermost.scene.post(town.channel, town.alice, text))
        return posts

    def kept(self) -> dict[str, str]:
        posts = self.store.living(self.town.channel).values()
        return {post.id: post.message for post in posts if not post.is_system}


@pytest.fixture
def desk(mattermost: Mattermost, client: Client) -> Desk:
    return Desk(mattermost, client)


def test_history_and_what_was_missed_are_read(desk: Desk) -> None:
    history = desk.say(20)
    assert desk.read()
    desk.pass_minutes(5)
    missed = desk.say(90)
    assert desk.read()
    assert set(history + missed) == set(desk.kept())


def test_posts_of_one_millisecond_are_read(desk: Desk) -> None:
    desk.say(20)
    assert desk.read()
    desk.pass_minutes(5)
    town, scene = desk.town, desk.mattermost.scene
    same = scene.post_many(town.channel, town.alice, ["same"] * 25)
    desk.say(12)
    assert desk.read()
    assert set(same) <= set(desk.kept())


def test_edits_and_deletions_are_read(desk: Desk) -> None:
    edited, deleted, *_ = desk.say(3)
    assert desk.read()
    desk.pass_minutes(5)
    desk.mattermost.scene.edit(edited, "better")
    desk.mattermost.scene.delete(deleted)
    assert desk.read()
    assert desk.kept()[edited] == "better"
    assert deleted not in desk.kept()


def test_more_changes_than_one_answer_holds_are_read(desk: Desk) -> None:
    posts = desk.mattermost.scene.post_many(
        desk.town.channel, desk.town.alice, ["first"] * 600
    )
    assert desk.read()
    desk.pass_minutes(5)
    for id in posts[1:]:
        desk.mattermost.scene.edit(id, "second")
    desk.mattermost.scene.erase(posts[0])
    assert desk.read()
    assert set(desk.kept().values()) == {"second"}
    assert posts[0] not in desk.kept()


def test_an_erased_mark_hides_nothing(desk: Desk) -> None:
    desk.say(20)
    assert desk.read()
    mark_id = desk.store.mark(desk.town.channel).mark_id
    missed = desk.say(30)
    desk.mattermost.scene.erase(mark_id)
    assert desk.read()
    assert set(missed) <= set(desk.kept())


def test_a_removed_bot_finds_no_access(desk: Desk) -> None:
    assert desk.read()
    desk.mattermost.scene.leave(desk.town.channel, desk.town.bot, by=desk.town.admin)
    desk.read()
    desk.read()
    assert (desk.town.channel, "access") in desk.store.gaps
