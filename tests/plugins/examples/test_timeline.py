"""The timeline: what was said and noted, in its order, for one and then for all."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from malexbot.plugins.rehearsal import Rehearsal
from malexbot.ports import Found

PLUGIN = Path(__file__).parents[3] / "etc" / "plugins" / "timeline.py"
TEN = 1_795_428_000_000


@pytest.fixture
def timeline(monkeypatch: pytest.MonkeyPatch) -> Rehearsal:
    seconds = itertools.count(0, 60)
    now = "malexbot.plugins.rehearsal._now_ms"
    monkeypatch.setattr(now, lambda: TEN + 1000 * next(seconds))
    return Rehearsal(PLUGIN)


def found(minute: int, text: str) -> Found:
    return Found(
        post_id=f"p{minute}",
        channel_id="c1",
        channel="Ops",
        user="anna",
        said_at=TEN + 60_000 * minute + 30_000,
        snippet=text,
        link=f"http://chat/pl/p{minute}",
    )


def test_posts_and_notes_stand_in_their_order(timeline: Rehearsal) -> None:
    # What is found best comes first, as a search tells it.
    timeline.finds(found(1, "it is **slow**"), found(-2, "deployed"))
    note = timeline.command("/timeline note rolled back  to 4.2", by="boris")
    assert note.answer == ":memo: **boris**: rolled back  to 4.2"
    assert note.said[0].in_channel
    assert timeline.command("/timeline slow OR deploy").answer == (
        "#### Timeline\n"
        "- [2026-11-23 09:58:30](http://chat/pl/p-2) **anna** in Ops: deployed\n"
        "- 2026-11-23 10:00:00 **boris**: :memo: rolled back  to 4.2\n"
        "- [2026-11-23 10:01:30](http://chat/pl/p1) **anna** in Ops: it is **slow**"
    )


def test_whom_a_post_called_is_not_called_again(timeline: Rehearsal) -> None:
    timeline.finds(found(1, "@channel, it is slow"))
    posted = timeline.command("/timeline slow").press("Post it here")
    (post,) = posted.posts
    assert "channel, it is slow" in post.text
    assert "@channel" not in post.text


def test_it_is_shown_to_one_and_then_posted_for_all(timeline: Rehearsal) -> None:
    timeline.finds(found(1, "slow"))
    turn = timeline.command("/timeline slow", channel="ops")
    assert turn.posts == []
    posted = turn.press("Post it here")
    (post,) = posted.posts
    assert (post.channel, post.text) == ("ops", turn.answer)
    assert (posted.update, posted.buttons) == ("It is posted.", [])


def test_a_file_has_all_of_it(timeline: Rehearsal) -> None:
    timeline.finds(*(found(n, f"moment {n}") for n in range(30)))
    turn = timeline.command("/timeline moment")
    assert "_10 earlier ones are left out; the file has them._" in turn.answer
    assert turn.answer.count("moment") == 20
    (file,) = turn.press("As a file").posts
    assert file.content.decode().count("**anna** in Ops: moment") == 30
    assert file.content.decode().startswith("# Timeline: moment\n\n- [2026-11-23")


def test_notes_are_of_their_channel_and_can_be_forgotten(timeline: Rehearsal) -> None:
    timeline.command("/timeline note one", channel="ops")
    timeline.command("/timeline note other", channel="dev")
    assert "one" in timeline.command("/timeline", channel="ops").answer
    assert "other" not in timeline.command("/timeline", channel="ops").answer
    forgotten = timeline.command("/timeline forget", channel="ops")
    assert forgotten.answer == "1 notes are forgotten."
    assert "Nothing found." in timeline.command("/timeline", channel="ops").answer
    assert "other" in timeline.command("/timeline", channel="dev").answer
