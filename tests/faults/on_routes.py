"""What is done to VK and to Redis: the two ends of what is handed on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from malexbot.sandbox.orders import Moment
from tests.faults.acts import Act, nothing
from tests.faults.ground import Ground
from tests.faults.plan import Planned

# Less than it holds when it is empty: nothing more is taken.
FULL_B = 1_000_000
TOO_FAST, INTERNAL = 6, 10


def _vk(order: str, **named: object) -> Act:
    """An order to the loopback VK's faults; healed in the end."""

    def begin(ground: Ground, planned: Planned) -> Callable[[], object]:
        getattr(ground.vk.faults, order)(**named)
        return ground.vk.faults.heal

    return begin


def _some(order: str) -> Act:
    """The same, of so many as was planned."""

    def begin(ground: Ground, planned: Planned) -> Callable[[], object]:
        getattr(ground.vk.faults, order)(count=planned.amount)
        return ground.vk.faults.heal

    return begin


def _session(end: str) -> Act:
    """The session of the long poll ends in this way."""

    def begin(ground: Ground, planned: Planned) -> Callable[[], object]:
        getattr(ground.vk.scene, end)()
        return nothing

    return begin


def _malform(ground: Ground, planned: Planned) -> Callable[[], object]:
    for number in range(planned.amount):
        told = {"type": "message_new", "object": {"is": f"{planned.at_s} {number}"}}
        text = json.dumps(told)
        ground.vk.faults.malform_update(text=text)
    return ground.vk.faults.heal


def _no_answer(ground: Ground, planned: Planned) -> Callable[[], object]:
    """Sent or not: who sent it cannot know."""
    moment: Moment = "after" if planned.amount % 2 else "before"
    ground.vk.faults.strike(at=planned.amount, moment=moment)
    return ground.vk.faults.heal


def _restart_vk(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.vk.restart()
    return nothing


def _kill_redis(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.redis.kill()
    return ground.redis.start


def _freeze_redis(ground: Ground, planned: Planned) -> Callable[[], object]:
    ends = ExitStack()
    ends.enter_context(ground.redis.frozen())
    return ends.close


def _cut_redis(ground: Ground, planned: Planned) -> Callable[[], object]:
    with ground.redis.client() as client:
        client.client_kill_filter(_type="normal", skipme=True)
    return nothing


def _fill_redis(ground: Ground, planned: Planned) -> Callable[[], object]:
    _limit(ground, FULL_B)
    return lambda: _limit(ground, 0)


def _limit(ground: Ground, most: int) -> None:
    with ground.redis.client() as client:
        client.config_set("maxmemory", most)


def _hold_redis(ground: Ground, planned: Planned) -> Callable[[], object]:
    ground.redis_line.hold()
    return ground.redis_line.heal


ACTS: Mapping[str, Act] = {
    "vk: line cut": _vk("cut"),
    "vk: half open": _vk("half_open"),
    "vk: slow": _vk("slow", latency_s=0.5, chunk=4096, gap_s=0.02),
    "vk: too fast": _vk("refuse", code=TOO_FAST, every=2),
    "vk: internal errors": _vk("refuse", code=INTERNAL, every=2),
    "vk: 429": _vk("fail", status=429, every=2),
    "vk: 5xx": _vk("fail", status=502, every=2, is_html=True),
    "vk: answers cut short": _some("cut_polls_short"),
    "vk: updates doubled": _some("duplicate_updates"),
    "vk: updates malformed": _malform,
    "vk: no answer to a send": _no_answer,
    "vk: failed 1": _session("outdate_history"),
    "vk: failed 2": _session("expire_key"),
    "vk: failed 3": _session("lose_information"),
    "vk: restart": _restart_vk,
    "redis: SIGKILL": _kill_redis,
    "redis: SIGSTOP": _freeze_redis,
    "redis: CLIENT KILL": _cut_redis,
    "redis: full": _fill_redis,
    "redis: line half open": _hold_redis,
}
