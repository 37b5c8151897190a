"""A visit to the Mattermost server: the way there, and what it has told so far."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from malexbot.cli.doctor.checks import Answer, Check, fault
from malexbot.cli.doctor.remedies import gist, remedy
from malexbot.config.model import Mattermost
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.failures import Failure
from malexbot.messengers.mattermost.link import Link
from malexbot.messengers.mattermost.socket import Dial
from malexbot.ports import ChannelNews

Json = dict[str, Any]

# How long a call may be repeated, and how long one answer may take.
PATIENCE_S = 2.0
READ_S = 5.0
# Where in Mattermost bots and their tokens are made.
BOT_ACCOUNTS = "Integrations > Bot Accounts"


class Visit:
    """Shared by the checks of Mattermost, which come one after the other."""

    def __init__(self, settings: Mattermost, config_file: Path) -> None:
        token = settings.token.get_secret_value()
        self.settings = settings
        self.config_file = config_file
        self.link = Link(url=settings.api_url, token=token)
        self.client = Client(self.link, patience_s=PATIENCE_S, read_s=READ_S)
        self.dial = Dial(url=settings.websocket_url, token=token)
        self.by_message = False
        """Yes: the websocket takes the token as a message only."""
        self.told: dict[str, str] = {}
        """The server's settings, as far as clients are told."""
        self.me: Json = {}
        self.teams: dict[str, str] = {}
        """The names of the bot's teams, by their ids."""
        self.channels: list[ChannelNews] = []
        """All that the bot is in."""

    @property
    def site(self) -> str:
        """The address that we go by, as a SiteURL is written."""
        return self.settings.api_url.removesuffix(self.settings.api_location)

    @property
    def host(self) -> str:
        return urlsplit(self.settings.api_url).hostname or ""

    @property
    def is_secure(self) -> bool:
        return self.settings.api_url.startswith("https:")

    @property
    def proxy(self) -> str:
        """What stands between by the environment, without its password; "" if none."""
        return proxy_of(self.settings.api_url)

    @property
    def bot(self) -> str:
        """Who it is, as people address it."""
        return f"@{self.me.get('username', 'the bot')}"

    @property
    def token_place(self) -> str:
        return f"mattermost.token of {self.config_file}"

    def check(self, name: str, ask: Callable[[Visit], Answer], **more: Any) -> Check:
        """A check that asks the server; a call that fails is a finding with a cure."""

        def guarded() -> Answer:
            try:
                return ask(self)
            except Failure as error:
                return fault(gist(error), self.remedy(error))

        cure = f"curl -m 5 {self.settings.api_url}/system/ping"
        return Check(name, guarded, cure=cure, **more)

    def remedy(self, error: Failure) -> str:
        """What to do about a call that failed."""
        return remedy(
            error, host=self.host, url=self.settings.api_url, proxy=self.proxy
        )

    def close(self) -> None:
        self.link.close()


def proxy_of(url: str) -> str:
    parts = urlsplit(url)
    known = getproxies()
    proxy = known.get(parts.scheme) or known.get("all") or ""
    if not proxy or proxy_bypass(parts.netloc):
        return ""
    scheme, mark, rest = proxy.rpartition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}"
