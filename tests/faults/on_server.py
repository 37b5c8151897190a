"""What is done to the server and to its line, and what people do to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from malexbot.sandbox.orders import Moment
from malexbot.sandbox.refusals import Refusal
from tests.crash.traffic import KEEP
from tests.faults.acts import Act, nothing
from tests.faults.ground import Ground
from tests.faults.plan import Planned


def _server(order: str, *values: object, **named: object) -> Act:
    """An order to the sandbox's faults; healed in the end."""

    def begin(ground: Ground, planned: Planned) -> Callable[[], object]:
        getattr(ground.server.faults, order)(*values, **named)
        return ground.server.faults.heal

    return begin


def _hold_server(ground: Ground, planned: Planned) -> Callable[[], object]:
    """In the end only the daemon knows that the lines are dead."""
    ground.wire.hold()
    return ground.wire.heal


def _refuse_server(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.wire.refuse()
    ground.wire.cut()
    return ground.wire.heal


def _no_answer(ground: Ground, planned: Planned) -> Callable[[], object]:
    """Saved or not: who sent it cannot know."""
    moment: Moment = "after" if planned.amount % 2 else "before"
    ground.server.faults.strike(planned.amount, moment, "reset")
    return ground.server.faults.heal


def _mangle(ground: Ground, planned: Planned) -> Callable[[], object]:
    faults, bot = ground.server.faults, ground.town.bot
    faults.duplicate_frames(planned.amount, user_id=bot)
    faults.swap_frames(user_id=bot)
    faults.drop_frames(user_id=bot)
    return faults.heal


def _restart_server(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.server.restart()
    return nothing


def _kill_server(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.server.kill()
    ground.wire.refuse()

    def end() -> None:
        ground.server.start()
        ground.wire.heal()

    return end


def _step_clock(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.server.step(planned.amount * 1000)
    return nothing


def _step_clock_back(ground: Ground, planned: Planned) -> Callable[[], object]:
    """And ahead again, so that no walk has to go back further than one step."""
    milliseconds = planned.amount * 1000
    ground.server.step(-milliseconds)
    return lambda: ground.server.step(milliseconds)


def _commit_late(ground: Ground, planned: Planned) -> Callable[[], object]:
    """Each appears among what was said some seconds ago."""
    scene, town, now = ground.server.scene, ground.town, ground.server.clock.now_ms()
    for number in range(planned.amount):
        text = f"{KEEP} committed late {planned.at_s:.3f} {number}"
        at = now - 1000 * (number % 20 + 1)
        with suppress(Refusal):
            scene.post(town.channel, town.bob, text, create_at=at)
    return nothing


def _flood(ground: Ground, planned: Planned) -> Callable[[], object]:
    """More than one page shows, in each channel."""
    scene, town = ground.server.scene, ground.town
    texts = [f"{KEEP} flood {planned.at_s:.3f} {n}" for n in range(planned.amount)]
    for channel in (town.channel, town.second, town.private):
        scene.post_many(channel, town.alice, texts)
    return nothing


ACTS: Mapping[str, Act] = {
    "server: line cut": _server("cut"),
    "server: half open": _server("half_open"),
    "server: line half open": _hold_server,
    "server: line refused": _refuse_server,
    "server: deaf": _server("deaf"),
    "server: slow": _server("slow", latency_s=0.5, chunk=4096, gap_s=0.02),
    "server: 429": _server("fail", 429, every=2),
    "server: 5xx": _server("fail", 502, every=2, is_html=True),
    "server: no answer to a POST": _no_answer,
    "server: frames doubled, lost, swapped": _mangle,
    "server: restart": _restart_server,
    "server: SIGKILL": _kill_server,
    "server: clock step": _step_clock,
    "server: clock steps back": _step_clock_back,
    "people: late commits": _commit_late,
    "people: a flood": _flood,
}
