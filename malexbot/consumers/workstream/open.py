"""Opens the one who is told, as the settings name it."""

from __future__ import annotations

from collections.abc import Callable

from malexbot.config.model import Config
from malexbot.consumers.workstream.journal import Journal
from malexbot.consumers.workstream.tcp import Tcp
from malexbot.errors import Misconfigured
from malexbot.runtime.workstream import Sink, Workstream


def prepare(workstream: Workstream, config: Config) -> Callable[[], None]:
    """What tells it as the settings say from then on; raises Misconfigured now."""
    sink, only_failures = open_sink(config), config.workstream.tells == "failures"

    def adopt() -> None:
        workstream.mask.add(config.secrets())
        workstream.adopt(sink, only_failures=only_failures)

    return adopt


def open_sink(config: Config) -> Sink | None:
    """None: nobody is told. Raises Misconfigured; connects to nobody yet."""
    receiver, name = config.workstream.receiver, config.workstream.to or ""
    if receiver is None:
        return None
    match receiver.kind:
        case "tcp":
            return Tcp(name, receiver.address)
        case "redis" if config.redis is not None:
            # Heavy: who has none needs none.
            from malexbot.consumers.workstream.stream import Stream

            most = config.workstream.max_entries
            return Stream(name, config.redis, receiver.name, max_entries=most)
        case "http" if receiver.name in config.http:
            from malexbot.consumers.workstream.posts import Posts

            return Posts(name, receiver.name, config.http[receiver.name])
        case "journal":
            return Journal()
    raise Misconfigured(f"workstream.to: {name} is nowhere in the settings")
