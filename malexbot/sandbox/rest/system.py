"""The server about itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from malexbot.sandbox.call import Call, Result, Route
from malexbot.sandbox.model import Json
from malexbot.sandbox.refusals import Refusal, bad_url
from malexbot.sandbox.world import World

_PING: Json = {
    "AndroidLatestVersion": "",
    "AndroidMinVersion": "",
    "DesktopLatestVersion": "",
    "DesktopMinVersion": "",
    "IosLatestVersion": "",
    "IosMinVersion": "",
    "status": "OK",
}


@dataclass(frozen=True)
class System:
    world: World

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/system/ping", self.ping, is_public=True)
        yield Route("GET", "/config/client", self.config)
        yield Route("GET", "/emoji/name/{name}", self.emoji)

    def ping(self, call: Call) -> Result:
        return _PING

    def emoji(self, call: Call) -> Result:
        """There are no custom ones."""
        detail = f"resource: Emoji id: Name={call['name']}"
        raise Refusal("app.emoji.get_by_name.no_result", detail)

    def config(self, call: Call) -> Result:
        """What clients ask for; every value is a string."""
        if call.query.get("format") != "old":
            raise bad_url("format")
        settings = self.world.settings
        return {
            "BuildNumber": settings.version,
            "BuildEnterpriseReady": "false",
            "CollapsedThreads": "disabled",
            "DefaultClientLocale": "en",
            "EnableBotAccountCreation": "true",
            "EnableCommands": "true",
            "EnableDeveloper": _flag(settings.is_developer),
            "EnableFileAttachments": "true",
            "EnableIncomingWebhooks": "true",
            "EnableOutgoingWebhooks": "true",
            "EnablePostUsernameOverride": "true",
            "EnableReliableWebSockets": _flag(settings.is_reliable),
            "EnableUserAccessTokens": "true",
            "ExperimentalViewArchivedChannels": "true",
            "MaxFileSize": str(settings.max_file_bytes),
            "MaxNotificationsPerChannel": "1000000",
            "MaxPostSize": str(settings.max_post_runes),
            "PostEditTimeLimit": "-1",
            "RestrictDirectMessage": "any",
            "SQLDriverName": "postgres",
            "SiteName": "malexbot sandbox",
            "TeammateNameDisplay": "username",
            "TimeBetweenUserTypingUpdatesMilliseconds": "5000",
            "Version": settings.version,
        }


def _flag(is_on: bool) -> str:
    return "true" if is_on else "false"
