"""For people who write plugins: all that they import is here, and in `malexbot`."""

from __future__ import annotations

from malexbot.config.fields import Block as Settings
from malexbot.config.fields import Duration, Secret
from malexbot.errors import Permanent, Transient
from malexbot.events import Event
from malexbot.plugins.api import (
    action,
    command,
    cron,
    dialog,
    every,
    listen,
    webhook,
)
from malexbot.ports import (
    Bot,
    Button,
    Card,
    Dialog,
    Fact,
    Field,
    Found,
    Menu,
    Occasion,
    Option,
    Processor,
    Terms,
)

__all__ = [
    "Bot",
    "Button",
    "Card",
    "Dialog",
    "Duration",
    "Event",
    "Fact",
    "Field",
    "Found",
    "Menu",
    "Occasion",
    "Option",
    "Permanent",
    "Processor",
    "Secret",
    "Settings",
    "Terms",
    "Transient",
    "action",
    "command",
    "cron",
    "dialog",
    "every",
    "listen",
    "webhook",
]
