"""The ledger tells what an archive lost, doubled, or answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from malexbot.sandbox.fixtures import Mattermost
from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.town import build
from tests.sandbox.clients import Rest


def row(id: str, message: str, delete_at: int | None = 0) -> dict[str, Any]:
    return {"id": id, "message": message, "delete_at": delete_at}


def test_a_true_archive_has_lost_nothing(mattermost: Mattermost) -> None:
    town, scene = mattermost.town, mattermost.scene
    kept = scene.post(town.channel, town.alice, "kept")
    edited = scene.post(town.channel, town.alice, "old")
    gone = scene.post(town.channel, town.alice, "gone")
    scene.edit(edited, "new")
    scene.delete(gone)
    rows = [row(kept, "kept", None), row(edited, "new"), row(gone, "gone", 5)]
    assert mattermost.ledger.lost(rows) == []
    assert mattermost.ledger.doubled(rows) == []


def test_each_kind_of_loss_is_named(mattermost: Mattermost) -> None:
    town, scene = mattermost.town, mattermost.scene
    missing = scene.post(town.channel, town.alice, "missing")
    edited = scene.post(town.channel, town.alice, "old")
    gone = scene.post(town.channel, town.alice, "gone")
    lives = scene.post(town.channel, town.alice, "lives")
    scene.edit(edited, "new")
    scene.delete(gone)
    rows = [row(edited, "old"), row(gone, "gone"), row(lives, "lives", 7)]
    lost = {one["id"]: one["why"] for one in mattermost.ledger.lost(rows)}
    assert lost == {
        missing: "missing",
        edited: "text",
        gone: "deletion",
        lives: "deletion",
    }


def test_only_the_asked_channel_and_text_are_wanted(mattermost: Mattermost) -> None:
    town, scene = mattermost.town, mattermost.scene
    scene.post(town.channel, town.alice, "wanted: malex")
    scene.post(town.channel, town.alice, "not this")
    scene.post(town.second, town.alice, "malex elsewhere")
    later = scene.post(town.channel, town.alice, "by an edit")
    scene.edit(later, "malex by an edit")
    lost = mattermost.ledger.lost([], channel_id=town.channel, contains="malex")
    assert [one["text"] for one in lost] == ["wanted: malex", "malex by an edit"]


def test_what_was_erased_is_not_missed(mattermost: Mattermost) -> None:
    town, scene = mattermost.town, mattermost.scene
    scene.erase(scene.post(town.channel, town.alice, "erased"))
    assert mattermost.ledger.lost([]) == []


def test_rows_that_come_twice_are_found(mattermost: Mattermost) -> None:
    assert mattermost.ledger.doubled([row("a", ""), row("b", ""), row("a", "")]) == [
        "a"
    ]


def test_answers_are_in_the_thread_or_name_the_question(
    mattermost: Mattermost, bot: Rest
) -> None:
    town, scene = mattermost.town, mattermost.scene
    question = scene.post(town.channel, town.alice, "?")
    scene.post(town.channel, town.bob, "something else")
    scene.post(town.channel, town.alice, "me again", root_id=question)
    first = scene.post(town.channel, town.bot, "!", root_id=question)
    props = {"malexbot": {"question": question}}
    second = scene.post(town.direct, town.bot, "!!", props=props)
    by_bob = scene.post(town.channel, town.bob, "I know", root_id=question)
    found = {entry.id for entry in mattermost.ledger.answers(question)}
    assert found == {first, second, by_bob}
    found = {entry.id for entry in mattermost.ledger.answers(question, by=town.bot)}
    assert found == {first, second}


def test_a_pending_id_used_up_twice_is_found(mattermost: Mattermost, bot: Rest) -> None:
    mattermost.settings.dedupe_s = 0
    body = {
        "channel_id": mattermost.town.channel,
        "message": "twice",
        "pending_post_id": "p",
    }
    ids = [bot.post("/posts", body)["id"] for _ in range(2)]
    assert mattermost.ledger.repeated() == {"p": ids}


def test_a_clock_that_is_set_back_does_not_change_the_order_of_what_was_said(
    mattermost: Mattermost,
) -> None:
    town, scene, clock = mattermost.town, mattermost.scene, mattermost.clock
    now_ms = clock.freeze()
    posts = [scene.post(town.channel, town.alice, "first")]
    scene.edit(posts[0], "second")
    clock.freeze(now_ms - 1000)
    posts.append(scene.post(town.channel, town.alice, "next"))
    scene.edit(posts[0], "third")
    said = mattermost.ledger.said(town.alice)
    assert [entry.id for entry in said] == posts
    assert said[0].text == "third"
    assert said[0].standing_texts == {"first", "second", "third"}


def test_what_a_kill_cut_off_is_made_up_for(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with Sandbox(state=state) as before:
        town = build(before.scene)
        said = [before.scene.post(town.channel, town.alice, word) for word in "abc"]
        before.scene.edit(said[1], "edited")
        before.scene.delete(said[2])
    lines = [
        line for line in state.read_text().splitlines() if not _is_late(line, said)
    ]
    state.write_text("\n".join(lines) + "\n")
    with Sandbox(state=state) as after:
        entries = {entry.id: entry for entry in after.ledger.entries()}
    assert [entries[id].text for id in said] == ["a", "edited", "c"]
    assert [bool(entries[id].delete_at) for id in said] == [False, False, True]


def _is_late(line: str, said: list[str]) -> bool:
    """Yes: the kill came before the ledger had the first, the edit, the deletion."""
    table, row = json.loads(line)
    if table != "ledger" or row["id"] not in said:
        return False
    return row["id"] == said[0] or len(row["texts"]) > 1 or row["delete_at"] > 0
