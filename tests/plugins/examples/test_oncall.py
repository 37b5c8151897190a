"""The rota: turns, taking over, and pages that go on until somebody has them."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from malexbot.plugins.rehearsal import Rehearsal

PLUGIN = Path(__file__).parents[3] / "etc" / "plugins" / "oncall.py"
SETTINGS = {
    "people": ["anna", "boris", "clara"],
    "channel": "ops",
    "begins": "2026-11-23",
}


def ms(text: str) -> int:
    at = datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
    return int(at.timestamp()) * 1000


class Clock:
    """What the events of a rehearsal say that it is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ms = ms("2026-11-25 12:00")
        where = "malexbot.plugins.rehearsal._now_ms"
        monkeypatch.setattr(where, lambda: self.now_ms)

    def pass_minutes(self, minutes: float) -> None:
        self.now_ms += round(minutes * 60_000)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def oncall(clock: Clock) -> Rehearsal:
    return Rehearsal(PLUGIN, settings=SETTINGS)


@pytest.mark.parametrize(
    ("at", "who"),
    [
        ("2026-11-23 08:59", "clara"),
        ("2026-11-23 09:00", "anna"),
        ("2026-11-30 08:59", "anna"),
        ("2026-11-30 09:00", "boris"),
        ("2026-12-14 09:00", "anna"),
    ],
)
def test_turns_change_at_nine(
    oncall: Rehearsal, clock: Clock, at: str, who: str
) -> None:
    clock.now_ms = ms(at)
    assert oncall.command("/oncall").answer.startswith(f"**@{who}** is on call until")


def test_it_tells_who_comes_next(oncall: Rehearsal) -> None:
    assert oncall.command("/oncall").answer == (
        "**@anna** is on call until Mon 30 Nov 09:00 UTC. Then: boris, clara."
    )


def test_who_takes_over_has_it_until_the_turn_ends(
    oncall: Rehearsal, clock: Clock
) -> None:
    turn = oncall.command("/oncall", by="clara").press("I take over")
    assert turn.update == "You are on call until Mon 30 Nov 09:00 UTC. Thank you!"
    assert turn.posts[0].text == ":telephone: **@clara** takes over from anna."
    assert "**@clara**" in oncall.command("/oncall").answer
    assert oncall.command("/oncall take", by="clara").answer == "It is you already."
    clock.now_ms = ms("2026-11-30 09:00")
    assert "**@boris**" in oncall.command("/oncall").answer


def test_who_is_not_on_the_rota_cannot_take_over(oncall: Rehearsal) -> None:
    turn = oncall.command("/oncall take", by="mallory")
    assert turn.answer.startswith("You are not on the rota")
    assert oncall.store == {}


def test_a_new_turn_is_told_once(oncall: Rehearsal, clock: Clock) -> None:
    clock.now_ms = ms("2026-11-23 09:00")
    (first,) = oncall.tick("handover").posts
    assert first.text == ":telephone: **@anna** is on call now."
    clock.now_ms = ms("2026-11-24 09:00")
    assert oncall.tick("handover").posts == []
    clock.now_ms = ms("2026-11-30 09:00")
    (second,) = oncall.tick("handover").posts
    assert second.text == ":telephone: **@boris** is on call now. Thank you, anna!"


# Pages.


def test_a_page_wakes_whoever_it_is_and_is_taken(
    oncall: Rehearsal, clock: Clock
) -> None:
    turn = oncall.command("/oncall page the shop is down", by="mallory")
    (page,) = turn.posts
    assert page.channel == "ops"
    assert page.text == (
        ":rotating_light: **the shop is down**\n@anna, mallory asks you."
    )
    clock.pass_minutes(2)
    assert turn.press("I have it", by="anna").update == (
        ":white_check_mark: **the shop is down** (asked by mallory)\n"
        "@anna has it, 2 min after the last call."
    )
    clock.pass_minutes(60)
    assert oncall.tick("escalate").said == []


def test_nobody_answering_it_goes_to_the_next_one(
    oncall: Rehearsal, clock: Clock
) -> None:
    turn = oncall.command("/oncall page fire")
    clock.pass_minutes(4)
    assert oncall.tick("escalate").said == []
    for who in ("boris", "clara", "anna"):
        clock.pass_minutes(5)
        edit, call = oncall.tick("escalate").said
        assert f"@{who}" in edit.text and edit.buttons
        assert (edit.kind, edit.post_id) == ("edit", turn.posts[0].post_id)
        # An edit wakes nobody.
        assert (call.text, call.root_id) == (f"@{who}: fire", edit.post_id)


def test_who_cannot_passes_it_on(oncall: Rehearsal) -> None:
    turn = oncall.command("/oncall page fire")
    passed = turn.press("Ask the next one", by="anna")
    assert "@boris" in passed.update
    assert passed.posts[0].text == "@boris: fire"
    assert "@boris has it" in passed.press("I have it", by="boris").update


def test_a_rota_of_nobody_is_refused() -> None:
    with pytest.raises(AssertionError, match="people"):
        Rehearsal(PLUGIN, settings={**SETTINGS, "people": []})
