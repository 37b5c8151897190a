"""Every setting, once: its name, type, default and what it is for.

The sample, the JSON Schema, the hints and `malexbot check --show` are made from
here: a new setting is a line in one of these classes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    field_validator,
    model_validator,
)

from malexbot.config.address import Address, location, parse_address
from malexbot.config.archive import Archive
from malexbot.config.backend import Backend
from malexbot.config.backfill import Backfill
from malexbot.config.fields import (
    Block,
    Duration,
    Folder,
    Line,
    Names,
    Port,
    Sample,
    Secret,
    Texts,
)
from malexbot.config.plugins import Plugged, Plugins, ProcessorBlocks
from malexbot.config.processors import EventProcessors
from malexbot.config.responses import Responses
from malexbot.config.workers import Workers

API = "/api/v4"
SOCKET = "/api/v4/websocket"


def _lowered(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _location(value: str) -> str:
    if "://" in value or re.search(r"[?#\s]", value):
        raise ValueError("needs a path such as /api/v4, not a whole address")
    return location(value)


Location = Annotated[Line, AfterValidator(_location)]


class Log(Block):
    """What malexbot tells of itself, and how."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(_lowered)
    ] = Field(default="info", description="The least that is told.")
    format: Annotated[
        Literal["auto", "text", "json", "journal"], BeforeValidator(_lowered)
    ] = Field(
        default="auto",
        description="`auto` is `journal` under systemd and `text` elsewhere.",
    )


class Database(Block):
    """A PostgreSQL 13 or later; without this block malexbot runs its own."""

    blank_is_unset: ClassVar[bool] = True

    username: Annotated[Line | None, Sample("malexbot", on=True)] = Field(
        default=None,
        description="Who malexbot is to PostgreSQL; by default, its user here.",
    )
    password: Annotated[Secret | None, Sample("", on=True)] = Field(
        default=None, description="That user's password."
    )
    name: Annotated[Line, Sample("malexbot")] = Field(
        description="The name of the database, which belongs to malexbot alone."
    )
    host: Line = Field(
        default="localhost",
        description="The server, or the folder of its socket.",
    )
    port: Port = Field(default=5432, description="The server's port.")
    host_test: Annotated[Line | None, Sample("localhost")] = Field(
        default=None,
        description="The same server as `tests/run --database` sees it.",
    )
    port_test: Annotated[Port | None, Sample(5432)] = Field(
        default=None, description="Its port as `tests/run --database` sees it."
    )


class Mattermost(Block):
    """The server that malexbot listens to, and what it does there."""

    blank_is_unset: ClassVar[bool] = True

    http_host: Annotated[Line, Sample("https://mattermost.example.org", on=True)] = (
        Field(
            description="The server's address, with or without scheme, port and path."
            " Plain http is used only if it is written: http://localhost:8065"
        )
    )
    api_location: Location = Field(
        default=API, description="Where its API is, below the address."
    )
    ws_host: Annotated[Line | None, Sample("wss://mattermost.example.org")] = Field(
        default=None,
        description="The address for the websocket, if it is another one.",
    )
    ws_api_location: Location = Field(
        default=SOCKET, description="Where its websocket is, below the address."
    )
    token: Annotated[Secret, Sample("", on=True)] = Field(
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
    direct: Annotated[Literal["ignore", "archive"], BeforeValidator(_lowered)] = Field(
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

    @field_validator("http_host", "ws_host")
    @classmethod
    def _an_address(cls, text: str) -> str:
        parse_address(text)
        return text

    @field_validator("token")
    @classmethod
    def _fit_for_a_header(cls, token: SecretStr) -> SecretStr:
        text = token.get_secret_value().strip()
        if not re.fullmatch("[!-~]+", text):
            raise ValueError("needs one word of plain letters, digits and signs")
        return SecretStr(text)

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

    def _server(self) -> Address:
        return self._address(self.http_host)

    def _address(self, text: str) -> Address:
        """The address without the API's own path, which may be written after it."""
        address = parse_address(text)
        path = address.above(self.api_location, self.ws_api_location, API, SOCKET)
        return Address(address.secure, address.host, address.port, path)


class Config(Block):
    """All that an operator can set."""

    state_dir: Folder = Field(
        default=Path("/var/lib/malexbot"),
        description="The folder that malexbot may write to.",
    )
    drain_timeout: Duration = Field(
        default=20.0,
        description="How long what was begun may still take when malexbot stops.",
    )
    log: Log = Field(default=Log(), description="What malexbot tells of itself.")
    backend: Backend = Field(
        default=Backend(),
        description="Where malexbot serves HTTP, for Nginx and for monitoring.",
    )
    db: Database | None = Field(
        default=None,
        description="The PostgreSQL (13 or later) that malexbot writes to."
        " Without this block it runs one of its own under state_dir"
        " (pip install 'malexbot[embedded]').",
    )
    mattermost: Annotated[Mattermost | None, Sample(on=True)] = Field(
        default=None, description="The Mattermost server, and what is done there."
    )
    responses: Responses = Field(
        default=(),
        description="The rules of the processor `response`; each that fits answers.",
    )
    archive: Archive = Field(default=Archive(), description="What `save` keeps.")
    backfill: Backfill = Field(
        default=Backfill(), description="How what was missed is fetched."
    )
    workers: Workers = Field(
        default=Workers(), description="Who does the jobs, and within which limits."
    )
    plugins: Annotated[Plugins, Sample(["translate.py"])] = Field(
        default=(),
        description="Where further processors are: Python files, by their path from"
        " this file, and modules. Packages that are installed need no line here.",
    )
    processors: Annotated[ProcessorBlocks, Sample({"translate": {"to": "de"}})] = Field(
        default={},
        description="The settings of further processors, by their names. What is"
        " switched on is named in target_events_processors.",
    )
    _plugged: Plugged = PrivateAttr(default=Plugged())

    @model_validator(mode="before")
    @classmethod
    def _a_database_left_blank_is_none(cls, values: Any) -> Any:
        """The block copied from a sample and not filled in means the embedded one."""
        db = values.get("db") if isinstance(values, Mapping) else None
        if isinstance(db, Mapping) and db.keys() <= Database.model_fields.keys():
            if all(value in (None, "") for value in db.values()):
                return {**values, "db": None}
        return values

    @property
    def plugged(self) -> Plugged:
        """The plugins, if they were loaded with it."""
        return self._plugged

    def plugged_with(self, plugged: Plugged) -> Config:
        """The same settings, with these plugins."""
        config = self.model_copy()
        config._plugged = plugged
        return config

    def secrets(self) -> tuple[str, ...]:
        """Every secret value in it, for the filter that keeps them out of the log."""
        return tuple(dict.fromkeys(secret for secret in _secrets(self) if secret))


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, str):
        yield from re.findall(r"://[^/\s:@]*:([^/\s@]+)@", value)
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _secrets(inner)
    elif isinstance(value, (tuple, list)):
        for inner in value:
            yield from _secrets(inner)
