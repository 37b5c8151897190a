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


# What a stranger is told too.
_PUBLIC = {
    "BuildNumber",
    "BuildEnterpriseReady",
    "DefaultClientLocale",
    "DiagnosticId",
    "EnableBotAccountCreation",
    "SiteName",
    "TelemetryId",
    "Version",
    "WebsocketURL",
}


@dataclass(frozen=True)
class System:
    world: World

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/system/ping", self.ping, is_public=True)
        yield Route("GET", "/config/client", self.config, is_public=True)
        yield Route("GET", "/emoji/name/{name}", self.emoji)

    def ping(self, call: Call) -> Result:
        return _PING

    def emoji(self, call: Call) -> Result:
        """There are no custom ones."""
        detail = f"resource: Emoji id: Name={call['name']}"
        raise Refusal("app.emoji.get_by_name.no_result", detail)

    def config(self, call: Call) -> Result:
        """What clients ask for; every value is a string. A stranger is told less."""
        if call.query.get("format") != "old":
            raise bad_url("format")
        told = self._config(call)
        if call.user.id:
            return told
        return {name: value for name, value in told.items() if name in _PUBLIC}

    def _config(self, call: Call) -> Json:
        settings, telemetry_id = self.world.settings, self.world.telemetry_id
        host = call.request.headers.get("host", "")
        asked_by = f"http://{host}"
        return {
            "BuildNumber": settings.version,
            "BuildEnterpriseReady": "false",
            "CollapsedThreads": "disabled",
            "DefaultClientLocale": "en",
            "DiagnosticId": telemetry_id,
            "EnableBotAccountCreation": _flag(settings.has_bot_accounts),
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
            "SiteURL": asked_by if settings.site_url is None else settings.site_url,
            "TeammateNameDisplay": "username",
            "TelemetryId": telemetry_id,
            "TimeBetweenUserTypingUpdatesMilliseconds": "5000",
            "Version": settings.version,
            "WebsocketURL": "",
        }


def _flag(is_on: bool) -> str:
    return "true" if is_on else "false"
