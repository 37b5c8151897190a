"""What the runner found once, each cut down to a short plan with a name."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.faults.ground import grounded
from tests.faults.hasty import PROGRAM
from tests.faults.plan import Planned, at
from tests.faults.run import play

SEED = 1
FOUND: dict[str, Sequence[Planned]] = {
    # It knows the key of what it saved no more, when the repeat comes.
    "a server dies after it saved what it has not answered": [
        at(2, "server: no answer to a POST", 0.8, 1),
        at(2.85, "server: SIGKILL", 0.2),
        at(5, "server: no answer to a POST", 0.8, 1),
        at(5.85, "server: SIGKILL", 0.2),
    ],
    # It answered pings, so its edits and deletions counted as told.
    "a server tells nothing for a while, and goes on as if nothing had been": [
        at(2, "server: deaf", 4),
        at(6.5, "server: clock step", 0, 70),
    ],
    # Who has not heard of the server yet took the machine's clock for the server's.
    "a daemon with a wrong clock takes up what another has left": [
        at(2, "daemon: clock step", 0, 7200),
        *(
            each
            for at_s in (2.5, 9.5, 16.5)
            for each in (
                at(at_s, "daemon: killed after a COMMIT", 2, 1),
                at(at_s + 1, "server: SIGKILL", 4),
            )
        ),
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("plan", FOUND.values(), ids=FOUND.keys())
def test_no_harm_is_done_any_more(plan: Sequence[Planned]) -> None:
    with grounded(PROGRAM) as ground:
        outcome = play(ground, plan, SEED, cuts=0)
    assert outcome.is_right, outcome.wrong
