"""What is odd about a sound configuration: it runs, and may not do what is meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from malexbot.config.document import Document
from malexbot.config.events import VK_EVENTS, unknown_events
from malexbot.config.model import Config, Mattermost, Vk
from malexbot.config.plugins import OF_CALLS
from malexbot.config.problems import Problem, Where
from malexbot.config.routes import unreachable
from malexbot.config.workstream import JOURNAL

EVENTS = "target_events_processors"


def oddities(config: Config, document: Document) -> Iterator[Problem]:
    for where in document.hidden:
        if _value(document.value, where) is None:
            text = "has no value: what begins with # is a comment"
            yield document.problem(where, text, "put it in quotes")
    if config.mattermost:
        yield from _of_mattermost(config.mattermost, document)
    if config.vk:
        yield from _of_vk(config.vk, document)
    if not (config.mattermost or config.vk):
        hint = "add the block `mattermost` or `vk`"
        yield document.problem((), "nothing is listened to", hint)
    else:
        yield from _of_routes(config, document)
    if config.workstream.to == JOURNAL and config.log.level in ("warning", "error"):
        text = f"with log.level {config.log.level} the journal tells nothing of it"
        yield document.problem(("workstream", "to"), text, "write `level: info`")


def _value(settings: Any, where: Where) -> Any:
    for part in where:
        settings = settings[part]
    return settings


def _of_mattermost(mattermost: Mattermost, document: Document) -> Iterator[Problem]:
    if not mattermost.listen_channels:
        where, hint = ("mattermost", "listen_channels"), '`["*"]` means every channel'
        yield document.problem(where, "no channel is listened to", hint)
    for name, meant in unknown_events(mattermost.target_events_processors):
        if name not in OF_CALLS:
            text = f"no event {name!r} is known"
            yield document.problem(("mattermost", EVENTS), text, meant)


def _of_vk(vk: Vk, document: Document) -> Iterator[Problem]:
    events = vk.target_events_processors
    for name, meant in unknown_events(events, VK_EVENTS):
        yield document.problem(("vk", EVENTS), f"no event {name!r} is known", meant)
    if any("save" in processors for processors in events.values()):
        text = "`save` keeps nothing of VK: the archive is Mattermost's"
        hint = "take it off there; `route` hands VK's events on"
        yield document.problem(("vk", EVENTS), text, hint)


def _of_routes(config: Config, document: Document) -> Iterator[Problem]:
    for place, taker in unreachable(config.routes):
        text = f"is never asked: {taker!r} takes every event"
        hint = "put it above that rule, or let that one have `continue: true`"
        yield document.problem(("routes", place), text, hint)
    listed = config.target_events_processors.values()
    if config.routes and not any("route" in processors for processors in listed):
        block, event = ("mattermost", "posted") if config.mattermost else _VK
        hint = f"add it in {block}.{EVENTS}: `{event}: [route]`"
        yield document.problem(("routes",), "no event has the processor `route`", hint)


_VK = ("vk", "message_new")
