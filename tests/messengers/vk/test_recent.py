from __future__ import annotations

from malexbot.messengers.vk.recent import Recent


def test_an_id_is_new_once() -> None:
    recent = Recent()
    assert [recent.is_new(id) for id in ("a", "b", "a")] == [True, True, False]


def test_the_oldest_is_forgotten_first() -> None:
    recent = Recent(most=2)
    for id in ("a", "b", "c"):
        recent.is_new(id)
    assert [recent.is_new(id) for id in ("c", "b", "a")] == [False, False, True]
