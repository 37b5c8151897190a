"""For people who write plugins: all that they import from malexbot is here."""

from __future__ import annotations

from malexbot.config.fields import Block as Settings
from malexbot.config.fields import Duration, Secret
from malexbot.errors import Permanent, Transient
from malexbot.events import Event
from malexbot.ports import Bot, Occasion, Processor, Terms

__all__ = [
    "Bot",
    "Duration",
    "Event",
    "Occasion",
    "Permanent",
    "Processor",
    "Secret",
    "Settings",
    "Terms",
    "Transient",
]
