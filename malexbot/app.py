"""The composition root: the only module that knows every part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from malexbot.config.model import Config
from malexbot.runtime.health import Health
from malexbot.runtime.supervisor import Service
from malexbot.storage.database import Database
from malexbot.storage.leadership import Leadership
from malexbot.web.health import mount_health
from malexbot.web.server import WebServer


@dataclass(frozen=True, slots=True)
class Parts:
    """What the services of an active daemon stand on."""

    config: Config
    database: Database
    leadership: Leadership
    health: Health


BuildServices = Callable[[Parts], Sequence[Service]]


def build_services(parts: Parts) -> Sequence[Service]:
    """All that an active daemon runs, in the order of its start."""
    return [
        WebServer(
            host=parts.config.backend.host,
            port=parts.config.backend.port,
            mounts=[lambda application: mount_health(application, parts.health)],
            health=parts.health,
        )
    ]
