"""A seed makes a plan."""

from __future__ import annotations

from itertools import combinations

from tests.faults.plan import KINDS, by_seed
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
