"""A program behind the chat page: a slash command, buttons and dialogs of a test."""

from __future__ import annotations

import json
from typing import Any

from malexbot.sandbox.fixtures import Mattermost
from tests.sandbox.clients import Rest
from tests.sandbox.integration import Integration, Told

FIELDS: list[dict[str, Any]] = [
    {
        "name": "what",
        "display_name": "What",
        "type": "text",
        "min_length": 3,
        "placeholder": "a version",
        "help_text": "As it is tagged.",
    },
    {
        "name": "why",
        "display_name": "Why",
        "type": "textarea",
        "optional": True,
        "default": "It is due.",
    },
    {
        "name": "count",
        "display_name": "How many",
        "type": "text",
        "subtype": "number",
        "optional": True,
    },
    {
        "name": "mail",
        "display_name": "Mail",
        "type": "text",
        "subtype": "email",
        "optional": True,
    },
    {
        "name": "stage",
        "display_name": "Where",
        "type": "select",
        "options": [
            {"text": "Staging", "value": "s"},
            {"text": "Production", "value": "p"},
        ],
    },
    {
        "name": "who",
        "display_name": "Who",
        "type": "select",
        "data_source": "users",
        "optional": True,
    },
    {
        "name": "room",
        "display_name": "Room",
        "type": "select",
        "data_source": "channels",
        "optional": True,
    },
    {
        "name": "when",
        "display_name": "When",
        "type": "radio",
        "default": "now",
        "options": [{"text": "Now", "value": "now"}, {"text": "Later", "value": "l"}],
    },
    {
        "name": "sure",
        "display_name": "Sure?",
        "type": "bool",
        "placeholder": "I know what I do",
    },
]
DIALOG: dict[str, Any] = {
    "title": "Deploy",
    "introduction_text": "Think **twice**.",
    "submit_label": "Go",
    "callback_id": "c",
    "state": "s",
    "elements": FIELDS,
}
STYLES = ("default", "primary", "danger", "good", "warning", "success")


class Stage:
    """The sandbox with an integration behind `/deploy` and behind all buttons."""

    def __init__(self, mattermost: Mattermost, integration: Integration) -> None:
        self.mattermost = mattermost
        self.town = mattermost.town
        self.program = integration
        more = {
            "username": "deployer",
            "auto_complete_hint": "[stage]",
            "auto_complete_desc": "deploy to a stage",
        }
        town = self.town
        acts = mattermost.acts
        acts.add_command(town.team, "deploy", integration.url, town.admin, **more)
        acts.add_command(town.team, "depose", integration.url, town.admin)

    def action(self, name: str, **more: Any) -> dict[str, Any]:
        """A button; `type="select"` makes it a menu."""
        told = {"url": self.program.url, "context": {"action": name.lower()}}
        return {"id": name.lower(), "name": name, "integration": told, **more}

    def offer(self, text: str, *actions: dict[str, Any]) -> str:
        """The bot posts these."""
        town = self.town
        props = {"attachments": [{"text": "Choose.", "actions": list(actions)}]}
        return self.mattermost.scene.post(town.channel, town.bot, text, props=props)

    def open_dialog(self, told: Told, **more: Any) -> None:
        """Before who pressed or typed that."""
        asked = {
            "trigger_id": told.fields["trigger_id"],
            "url": f"{self.program.url}/dialog",
            "dialog": DIALOG | more,
        }
        with Rest(self.mattermost.url) as nobody:
            answer = nobody.post("/actions/dialogs/open", asked)
        assert answer == {"status": "OK"}, json.dumps(answer)
