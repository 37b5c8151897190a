"""The Mattermost server, and what malexbot does there."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from malexbot.config.address import Address, ServerAddress, location, parse_address
from malexbot.config.fields import (
    Block,
    Line,
    Names,
    Sample,
    SecretWord,
    Texts,
    lowered,
)
from malexbot.config.processors import EventProcessors
from malexbot.config.tokens import CommandTokens, HookTokens, IncomingWebhooks

API = "/api/v4"
SOCKET = "/api/v4/websocket"


def _location(value: str) -> str:
    if "://" in value or re.search(r"[?#\s]", value):
        raise ValueError("needs a path such as /api/v4, not a whole address")
    return location(value)


Location = Annotated[Line, AfterValidator(_location)]


class Mattermost(Block):
    """The server that malexbot listens to, and what it does there."""

    blank_is_unset: ClassVar[bool] = True

    http_host: Annotated[
        ServerAddress, Sample("https://mattermost.example.org", on=True)
    ] = Field(
        description="The server's address, with or without scheme, port and path."
        " Plain http is used only if it is written: http://localhost:8065"
    )
    api_location: Location = Field(
        default=API, description="Where its API is, below the address."
    )
    ws_host: Annotated[ServerAddress | None, Sample("wss://mattermost.example.org")] = (
        Field(
            default=None,
            description="The address for the websocket, if it is another one.",
        )
    )
    ws_api_location: Location = Field(
        default=SOCKET, description="Where its websocket is, below the address."
    )
    token: Annotated[SecretWord, Sample("", on=True)] = Field(
        description="The bot's access token"
        " (Integrations > Bot Accounts > Create New Token)."
    )
    id: Annotated[Line | None, Sample("malexbot")] = Field(
        default=None,
        description="The bot's user name; the token alone is enough.",
    )
    test_channel_id: Annotated[Line | None, Sample("town-square-id")] = Field(
        default=None,
        description="The channel that `malexbot doctor --send` posts into.",
    )
    filter_messages_contains: Annotated[Texts, Sample("", on=True)] = Field(
        default=(),
        description="Keep the posts that contain this text, or one of a list of texts;"
        " empty keeps all.",
    )
    listen_channels: Annotated[Names, Sample(["*"], on=True)] = Field(
        default=(),
        description="The channels to listen to: ids, `team/channel`,"
        ' or "*" for every one that the bot is in.',
    )
    direct: Annotated[Literal["ignore", "archive"], BeforeValidator(lowered)] = Field(
        default="ignore",
        description="What `*` means for direct messages: `archive` listens to them as"
        " to any channel. Rules with `direct: true` answer them anyhow.",
    )
    target_events_processors: Annotated[
        EventProcessors, Sample({"hello": ["log"], "posted": ["save"]}, on=True)
    ] = Field(
        default={},
        description="What is done on which event of the server, in this order.",
    )
    command_tokens: Annotated[CommandTokens, Sample({"deploy": ""})] = Field(
        default={},
        description="The tokens of slash commands that were made by hand, `deploy` or"
        " `team/deploy`; what `malexbot commands register` made needs none.",
    )
    outgoing_tokens: Annotated[HookTokens, Sample({"ops": ""})] = Field(
        default={},
        description="The tokens of outgoing webhooks, by names of your own.",
    )
    incoming_webhooks: Annotated[
        IncomingWebhooks, Sample({"ops": "https://mattermost.example.org/hooks/…"})
    ] = Field(
        default={},
        description="Incoming webhooks to post by: the channel `hook:ops` is `ops`.",
    )

    @property
    def api_url(self) -> str:
        """Where the API is: `https://host[:port][/path]/api/v4`."""
        return self._server().url("http", self.api_location)

    @property
    def websocket_url(self) -> str:
        """Where the events come from: `wss://host[:port][/path]/api/v4/websocket`."""
        server = self._server()
        if self.ws_host is None:
            return server.url("ws", self.ws_api_location)
        socket = self._address(self.ws_host)
        is_same = (socket.host, socket.port) == (server.host, server.port)
        return Address(
            secure=(
                server.secure if socket.secure is None and is_same else socket.secure
            ),
            host=socket.host,
            port=socket.port,
            path=socket.path or (server.path if socket.host == server.host else ""),
        ).url("ws", self.ws_api_location)

    @property
    def site_url(self) -> str:
        """Where the server itself is, above its API."""
        return self.api_url.removesuffix(self.api_location)

    def _server(self) -> Address:
        return self._address(self.http_host)

    def _address(self, text: str) -> Address:
        """The address without the API's own path, which may be written after it."""
        address = parse_address(text)
        path = address.above(self.api_location, self.ws_api_location, API, SOCKET)
        return Address(address.secure, address.host, address.port, path)
