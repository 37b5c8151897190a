"""malexbot: archives Mattermost, answers, and runs your plugins.

For those: `from malexbot import Bot, Event, command`. It is fetched when it is asked
for, so that a command line that runs no plugin does not wait for it.
"""

import sys
from typing import TYPE_CHECKING

if sys.version_info < (3, 11):
    raise SystemExit(
        "malexbot needs Python 3.11 or newer, but this is Python %s.%s: "
        "make the virtual environment with a newer python3." % sys.version_info[:2]
    )

if TYPE_CHECKING:
    from malexbot.plugins import (
        Bot,
        Button,
        Card,
        Dialog,
        Duration,
        Event,
        Fact,
        Field,
        Found,
        Menu,
        Occasion,
        Option,
        Permanent,
        Processor,
        Secret,
        Settings,
        Terms,
        Transient,
        action,
        command,
        cron,
        dialog,
        every,
        listen,
        webhook,
    )

__version__ = "0.1.0"
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


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from malexbot import plugins

    return getattr(plugins, name)
