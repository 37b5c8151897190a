"""Each thing that is done to a post is told once, and marked when it is known."""

from __future__ import annotations

import io
import time

import pytest

from malexbot.cli.demo.conversation import SECRET
from malexbot.cli.demo.story import Chronicle, Happening, Story, View
from malexbot.cli.demo.telling import KEPT, LATE, LEFT_OUT, Teller
from tests.cli.demo.conftest import BareStage


@pytest.fixture
def story(stage: BareStage, teller: Teller) -> Story:
    return Story(stage, teller)


def told(chronicle: Chronicle) -> list[str]:
    return [new.what + new.text for new in chronicle.news()]


def test_the_chronicle_tells_each_change_once(stage: BareStage) -> None:
    chronicle = Chronicle(stage.mattermost.ledger)
    post = stage.say("alice", "one")
    assert told(chronicle) == ["one"]
    assert told(chronicle) == []
    stage.say("bob", "two", root_id=post)
    stage.mattermost.scene.edit(post, "uno")
    assert told(chronicle) == ["edited: uno", "↳ two"]
    stage.mattermost.scene.delete(post)
    assert told(chronicle) == ["deleted: uno", "deleted: two"]


def test_what_was_said_before_is_told_with_its_own_time(stage: BareStage) -> None:
    stage.say("alice", "one", ago_ms=7_200_000)
    (new,) = Chronicle(stage.mattermost.ledger).news()
    assert new.at_s == pytest.approx(time.time() - 7200, abs=60)
    assert new.seen_at == pytest.approx(time.time(), abs=60)


def test_a_post_is_told_with_its_mark_when_it_is_kept(
    stage: BareStage, story: Story, paper: io.StringIO
) -> None:
    post = stage.say("alice", "hello")
    story.look()
    assert paper.getvalue() == ""
    stage.keep(post)
    story.look()
    (line,) = paper.getvalue().splitlines()
    assert "alice" in line and "hello" in line and line.endswith(KEPT)
    story.look()
    assert len(paper.getvalue().splitlines()) == 1


def test_an_edit_is_kept_when_its_text_is(
    stage: BareStage, story: Story, paper: io.StringIO
) -> None:
    post = stage.say("alice", "hello")
    stage.keep(post)
    story.look()
    stage.mattermost.scene.edit(post, "goodbye")
    story.look()
    assert "goodbye" not in paper.getvalue()
    stage.keep(post)
    story.look()
    assert paper.getvalue().splitlines()[-1].endswith(KEPT)


def test_what_waits_for_malexbot_is_told_at_once_and_again_when_it_is_kept(
    stage: BareStage, story: Story, paper: io.StringIO
) -> None:
    stage.has_fallen = True
    posts = [stage.say("alice", text) for text in ("one", "two")]
    story.look()
    assert [line[-len(LATE) :] for line in paper.getvalue().splitlines()] == [LATE] * 2
    for post in posts:
        stage.keep(post)
    story.look()
    assert paper.getvalue().endswith("✓ kept now, of what waited: 2\n")


@pytest.mark.parametrize(
    ("text", "age_s", "mark"),
    [
        ("hello", 0.0, ""),
        ("hello", 60.0, LATE),
        (f"{SECRET}: hello", 0.0, ""),
        (f"{SECRET}: hello", 60.0, LEFT_OUT),
    ],
)
def test_what_is_not_there_is_late_or_left_out(
    text: str, age_s: float, mark: str
) -> None:
    view = View(kept=frozenset(), lost=frozenset({"p"}), patience_s=1.5)
    happening = Happening("p", "u", "", text, 0, 0.0, time.time() - age_s)
    assert view.mark(happening) == mark


def test_a_secret_that_was_kept_is_not_hidden() -> None:
    view = View(kept=frozenset({"p"}), lost=frozenset(), patience_s=1.5)
    assert view.mark(Happening("p", "u", "", SECRET, 0, 0.0, 0.0)) == KEPT
