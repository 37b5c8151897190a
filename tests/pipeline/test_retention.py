"""How old a post may become."""

from __future__ import annotations

from malexbot.pipeline.retention import Retention
from tests.support.events import NOW, happened, posted

DAY_S = 86_400.0


def retention(keep_s: float | None) -> Retention:
    return Retention(keep_s, now_ms=lambda: NOW)


def test_without_a_limit_everything_is_wanted() -> None:
    assert retention(None).wants(posted(create_at=0))
    assert retention(None).since_ms == 0


def test_the_age_of_the_post_counts_not_that_of_its_edit() -> None:
    young, old = NOW - int(DAY_S * 1000), NOW - int(DAY_S * 1000) - 1
    assert retention(DAY_S).wants(posted(create_at=young))
    assert not retention(DAY_S).wants(posted(create_at=old, edit_at=NOW))


def test_what_tells_of_no_post_is_wanted() -> None:
    assert retention(DAY_S).wants(happened("hello"))


def test_it_can_be_changed_while_it_is_asked() -> None:
    changing = retention(None)
    changing.keep_s = DAY_S
    assert not changing.wants(posted(create_at=0))
