"""A seed makes a plan."""

from __future__ import annotations

from itertools import combinations, pairwise

from tests.faults.plan import KINDS, REST_S, by_seed
from tests.faults.run import ACTS


def test_each_kind_can_be_made_to_happen() -> None:
    assert ACTS.keys() == {kind.name for kind in KINDS}


def test_a_seed_makes_the_same_plan_again() -> None:
    assert by_seed(1, 120, is_root=True) == by_seed(1, 120, is_root=True)
    assert by_seed(1, 120, is_root=True) != by_seed(2, 120, is_root=True)


def test_a_long_plan_holds_every_kind() -> None:
    assert {each.kind for each in by_seed(1, 3600, is_root=True)} == {*KINDS}


def test_without_root_no_disk_is_filled() -> None:
    plan = by_seed(1, 3600, is_root=False)
    assert not [each for each in plan if each.kind.needs_root]


def test_what_touches_the_same_does_not_overlap() -> None:
    plan = sorted(by_seed(1, 600, is_root=True), key=lambda each: each.at_s)
    for first, second in combinations(plan, 2):
        if first.kind.touches & second.kind.touches:
            assert first.until_s < second.at_s


def test_a_clock_that_jumped_is_left_alone_for_a_while() -> None:
    steps = [
        each for each in by_seed(1, 3600, is_root=True) if "clock" in each.kind.touches
    ]
    steps.sort(key=lambda each: each.at_s)
    assert steps
    for first, second in pairwise(steps):
        assert second.at_s >= first.until_s + REST_S["clock"]
