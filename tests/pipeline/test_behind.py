"""Which ends of jobs set something free."""

from __future__ import annotations

from malexbot.pipeline.behind import Behind


def test_what_was_noted_is_known_until_a_claim_has_looked() -> None:
    behind = Behind()
    behind.note(["a"])
    assert "a" in behind and "b" not in behind
    behind.looking()
    behind.looked([])
    assert "a" not in behind


def test_what_waits_behind_a_job_under_way_stays_known() -> None:
    behind = Behind()
    behind.note(["a", "b"])
    behind.looking()
    behind.looked(["a", "c"])
    assert "a" in behind
    assert "b" not in behind and "c" not in behind


def test_what_is_noted_during_a_claim_stays_known() -> None:
    behind = Behind()
    behind.looking()
    behind.note(["a"])
    behind.looked([])
    assert "a" in behind
