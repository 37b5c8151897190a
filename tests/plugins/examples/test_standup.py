"""The stand-up: asked in the morning, written in a dialog, summed up at eleven."""

from __future__ import annotations

from pathlib import Path

import pytest

from malexbot.plugins.rehearsal import Rehearsal

PLUGIN = Path(__file__).parents[3] / "etc" / "plugins" / "standup.py"
# Nine in Berlin, on a Monday.
NINE = 1_795_420_800_000
DAY = "2026-11-23"


@pytest.fixture
def standup(monkeypatch: pytest.MonkeyPatch) -> Rehearsal:
    monkeypatch.setattr("malexbot.plugins.rehearsal._now_ms", lambda: NINE)
    settings = {"channel": "team", "people": ["anna", "boris"]}
    return Rehearsal(PLUGIN, settings=settings)


def test_it_is_asked_and_shows_who_has_reported(standup: Rehearsal) -> None:
    asked = standup.tick("ask", at_ms=NINE)
    (question,) = asked.posts
    assert question.channel == "team"
    assert question.text == (
        f":sunrise: **Stand-up of {DAY}** – what is on today?\nReported: nobody yet."
    )
    for name, told in (("anna", "anna."), ("boris", "anna, boris.")):
        filled = asked.press("Report", by=name).submit(plan="write tests")
        (edit,) = filled.said
        assert (edit.kind, edit.post_id) == ("edit", question.post_id)
        assert edit.text.endswith(f"Reported: {told}")
        assert edit.buttons == ["Report"]


def test_a_report_may_be_changed(standup: Rehearsal) -> None:
    asked = standup.tick("ask", at_ms=NINE)
    asked.press("Report", by="anna").submit(plan="tests", stuck="the flu")
    again = asked.press("Report", by="anna").dialog
    assert [field.default for field in again.fields] == ["", "tests", "the flu"]
    asked.press("Report", by="anna").submit(plan="docs", stuck=None)
    told = {"name": "anna", "done": "", "plan": "docs", "stuck": ""}
    assert standup.store == {f"{DAY}/anna-id": told, DAY: 2}


def test_a_report_needs_a_plan(standup: Rehearsal) -> None:
    turn = standup.command("/standup", by="anna")
    assert turn.submit(done="much").errors == {"plan": "`plan` is missing."}
    assert standup.store == {}


def test_the_summary_stands_in_the_thread_with_who_is_missing(
    standup: Rehearsal,
) -> None:
    asked = standup.tick("ask", at_ms=NINE)
    asked.press("Report", by="anna").submit(plan="docs", done="tests", stuck="the flu")
    (summary,) = standup.tick("sum_up", at_ms=NINE + 7_200_000).posts
    assert summary.root_id == asked.posts[0].post_id
    assert summary.text == (
        f"#### Stand-up of {DAY}\n**anna**: docs\n- done: tests\n"
        "- :warning: in the way: the flu\nNot heard of: @boris"
    )


def test_nobody_reporting_is_told_too(standup: Rehearsal) -> None:
    (summary,) = standup.tick("sum_up", at_ms=NINE).posts
    assert "Nobody has reported." in summary.text
    assert standup.command("/standup show").answer == summary.text


def test_what_is_of_other_days_is_forgotten(standup: Rehearsal) -> None:
    standup.store["2026-11-20/anna-id"] = {"name": "anna", "plan": "x"}
    standup.command("/standup", by="boris").submit(plan="y")
    standup.tick("sum_up", at_ms=NINE)
    assert list(standup.store) == [f"{DAY}/boris-id"]
