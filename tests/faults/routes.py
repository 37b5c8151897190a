"""What of the two messengers is handed on, and by which stream of Redis."""

from __future__ import annotations

from typing import Any

from malexbot.sandbox.vk.control import VkControl
from malexbot.sandbox.vk.world import VkSettings
from tests.crash.traffic import KEEP

# By VK's names. What the bot itself wrote is told too, and is not handed on.
OF_VK = {
    "message_new": "message",
    "message_reply": "message",
    "message_edit": "edit",
    "message_event": "button",
    "message_reaction_event": "reaction",
    "gap": "gap",
}
BUTTON, COMMAND, GAP, SAID = "button", "command", "gap", "said"
NAMES = (*sorted({*OF_VK.values()}), COMMAND, SAID)
ROUTES = [
    {
        "name": "what is said at Mattermost",
        "when": f"event.source == 'mattermost' and {KEEP!r} in event.message.text",
        "to": f"redis:{SAID}",
    },
    {
        "name": "all of VK",
        "when": "event.source == 'vk'",
        "to": "redis:{{ event.event_type }}",
    },
]


def vk_block(vk: VkControl) -> dict[str, Any]:
    """The community, all of whose events are handed on."""
    known = VkSettings()
    processors = {name: ["route"] for name in OF_VK}
    return {
        "token": known.token,
        "group_id": known.group_id,
        "api_base": vk.api_base,
        "target_events_processors": processors | {"message_new": ["response", "route"]},
    }
