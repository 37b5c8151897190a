"""The judge sees each thing that may be wrong, and nothing where nothing is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict

import pytest

from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.town import Town, build
from malexbot.storage.database import Database
from tests.crash.judge import Judge

ARCHIVE = """
INSERT INTO posts (id, channel_id, user_id, root_id, type, message, create_at,
  update_at, edit_at, raw, kept_from, delete_at)
VALUES (%(id)s, %(channel_id)s, %(user_id)s, %(root_id)s, '', %(text)s,
  %(create_at)s, 1, 0, '', 0, %(delete_at)s)
"""
INVENTED = {"channel_id": "c", "user_id": "u", "root_id": "", "create_at": 1}
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
def archive(sandbox: Sandbox, database: Database) -> Archive:
    """Keeps a post as it was posted, but for what is told otherwise."""

    def keep(post_id: str, text: str, delete_at: int = 0, **changed: object) -> None:
        entries = {entry.id: asdict(entry) for entry in sandbox.ledger.entries()}
        known = entries.get(post_id, INVENTED) | changed
        values = known | {"id": post_id, "text": text, "delete_at": delete_at}
        with database.transaction() as cursor:
            cursor.execute(ARCHIVE, values)

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


@pytest.mark.parametrize(
    "changed",
    [{"channel_id": "c"}, {"user_id": "u"}, {"root_id": "r"}, {"create_at": 1}],
)
def test_what_is_archived_as_if_it_came_from_elsewhere_is_seen(
    sandbox: Sandbox,
    town: Town,
    judge: Judge,
    archive: Archive,
    changed: dict[str, object],
) -> None:
    post_id = sandbox.scene.post(town.channel, town.alice, "keep this")
    archive(post_id, "keep this", **changed)
    (complaint,) = judge.complaints({})
    assert complaint.startswith("wrong origin") and post_id in complaint


def test_a_deleted_post_says_what_it_said_once(
    sandbox: Sandbox, town: Town, judge: Judge, archive: Archive
) -> None:
    for text in ("keep this", "keep what was never said"):
        post_id = sandbox.scene.post(town.channel, town.alice, "keep this")
        sandbox.scene.edit(post_id, "keep that")
        sandbox.scene.delete(post_id)
        archive(post_id, text, sandbox.clock.now_ms())
    (complaint,) = judge.complaints({})
    assert complaint.startswith("wrong text 'keep what was never said'")


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


@pytest.mark.parametrize("kind", ["plain", "thread"])
def test_an_answer_in_the_wrong_place_is_seen(
    sandbox: Sandbox, town: Town, judge: Judge, kind: str
) -> None:
    def ask(root_id: str = "") -> str:
        text = f"ask {kind}"
        return sandbox.scene.post(town.channel, town.alice, text, root_id=root_id)

    def answer(asked: str, channel_id: str = town.channel, root_id: str = "") -> None:
        text = f"answer to {asked}"
        sandbox.scene.post(channel_id, town.bot, text, root_id=root_id)

    asked, astray, away = ask(), ask(), ask()
    below = ask(asked)
    answer(asked, root_id=asked if kind == "thread" else "")
    answer(below, root_id=asked)
    assert judge.complaints({asked: kind, below: kind}) == []
    answer(astray, root_id=astray if kind == "plain" else "")
    answer(away, town.second)
    told = judge.complaints(dict.fromkeys((asked, below, astray, away), kind))
    assert [each.split(",")[0] for each in told] == ["answered elsewhere"] * 2
    assert astray in told[0] and away in told[1]


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
