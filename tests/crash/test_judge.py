"""The judge sees each thing that may be wrong, and nothing where nothing is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.town import Town, build
from malexbot.storage.database import Database
from tests.crash.judge import Judge

ARCHIVE = """
INSERT INTO posts (id, channel_id, user_id, root_id, type, message, create_at,
  update_at, edit_at, raw, kept_from, delete_at)
VALUES (%s, 'c', 'u', '', '', %s, 1, 1, 0, '', 0, %s)
"""
Archive = Callable[..., None]


@pytest.fixture
def sandbox() -> Sandbox:
    """It need not be started: nobody comes by the line."""
    return Sandbox()


@pytest.fixture
def town(sandbox: Sandbox) -> Town:
    return build(sandbox.scene)


@pytest.fixture
def judge(sandbox: Sandbox, town: Town, database: Database) -> Iterator[Judge]:
    yield Judge(sandbox, town, database)
    sandbox.stop()


@pytest.fixture
def archive(database: Database) -> Archive:
    def keep(post_id: str, text: str, delete_at: int = 0) -> None:
        with database.transaction() as cursor:
            cursor.execute(ARCHIVE, (post_id, text, delete_at))

    return keep


def test_what_is_kept_and_answered_is_right(
    sandbox: Sandbox, town: Town, judge: Judge, archive: Archive
) -> None:
    asked = sandbox.scene.post(town.channel, town.alice, "keep ask")
    eyed = sandbox.scene.post(town.channel, town.alice, "ask eyes")
    sandbox.scene.post(town.channel, town.bot, f"answer to {asked}")
    sandbox.scene.react(eyed, town.bot, "eyes")
    archive(asked, "keep ask")
    assert judge.complaints({asked: "plain", eyed: "eyes"}) == []
    assert judge.archived() == 1


@pytest.mark.parametrize(
    ("text", "delete_at", "wrong"),
    [
        ("keep what", 0, "wrong text"),
        ("keep this", 99, "wrong deletion"),
        (None, 0, "lost"),
    ],
)
def test_what_is_archived_wrongly_is_seen(
    sandbox: Sandbox,
    town: Town,
    judge: Judge,
    archive: Archive,
    text: str | None,
    delete_at: int,
    wrong: str,
) -> None:
    post_id = sandbox.scene.post(town.channel, town.alice, "keep this")
    if text is not None:
        archive(post_id, text, delete_at)
    (complaint,) = judge.complaints({})
    assert complaint.startswith(wrong) and post_id in complaint


def test_a_deletion_that_is_unknown_or_too_old_is_seen(
    sandbox: Sandbox, town: Town, judge: Judge, archive: Archive
) -> None:
    for delete_at in (0, 99):
        post_id = sandbox.scene.post(town.channel, town.alice, "keep this")
        sandbox.scene.delete(post_id)
        archive(post_id, "keep this", delete_at)
    assert len(judge.complaints({})) == 2


def test_what_nobody_wanted_or_said_is_seen(
    sandbox: Sandbox, town: Town, judge: Judge, archive: Archive
) -> None:
    archive(sandbox.scene.post(town.channel, town.alice, "idle"), "idle")
    archive("invented", "keep this")
    assert sorted(c.split(":")[0] for c in judge.complaints({})) == [
        "invented was never posted",
        "kept for nothing",
    ]


def test_no_answer_and_two_of_them_are_seen(
    sandbox: Sandbox, town: Town, judge: Judge
) -> None:
    asked = sandbox.scene.post(town.channel, town.alice, "ask")
    (complaint,) = judge.complaints({asked: "plain"})
    assert complaint.startswith(f"never answered: {asked}, 'ask', 1 parts")
    for _ in range(2):
        sandbox.scene.post(town.channel, town.bot, f"answer to {asked}")
    (complaint,) = judge.complaints({asked: "plain"})
    assert complaint.startswith("answered twice") and asked in complaint


def test_a_long_answer_needs_each_line_once(
    sandbox: Sandbox, town: Town, judge: Judge
) -> None:
    asked = sandbox.scene.post(town.channel, town.alice, "ask long")
    lines = "\n".join(f"answer to {asked}, line {n}" for n in range(149))
    sandbox.scene.post(town.channel, town.bot, lines)
    assert "1 parts" in judge.complaints({asked: "long"})[0]
    sandbox.scene.post(town.channel, town.bot, f"answer to {asked}, line 149")
    assert judge.complaints({asked: "long"}) == []
    sandbox.scene.post(town.channel, town.bot, f"answer to {asked}, line 7")
    assert "'7') 2 times" in judge.complaints({asked: "long"})[0]


def test_what_malexbot_knows_to_be_missing_is_seen(
    judge: Judge, database: Database
) -> None:
    with database.transaction() as cursor:
        cursor.execute(
            "INSERT INTO jobs (kind, name, lane) VALUES ('run', 'x', 'x');"
            "INSERT INTO gaps (source, channel_id, kind, reason)"
            " VALUES ('mattermost', 'c', 'posts', 'why');"
            "INSERT INTO connections (source, reason) VALUES ('mattermost', 'start');"
            "INSERT INTO channels (source, channel_id) VALUES ('mattermost', 'c');"
            "INSERT INTO rejects (source, raw, reason) VALUES ('x', 'x', 'bad')"
        )
    assert len(judge.unfinished()) == 3
    assert len(judge.complaints({})) == 4
    assert judge.gaps() == ["why"]


def test_of_two_edits_the_later_one_may_be_kept_when_the_clock_was_set_back(
    sandbox: Sandbox, town: Town, judge: Judge, archive: Archive
) -> None:
    now_ms = sandbox.clock.freeze()
    post_id = sandbox.scene.post(town.channel, town.alice, "keep")
    sandbox.scene.edit(post_id, "keep one")
    sandbox.clock.freeze(now_ms - 1000)
    sandbox.scene.edit(post_id, "keep two")
    archive(post_id, "keep one")
    assert judge.complaints({}) == []
