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
    BaseModel,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    model_validator,
)

from malexbot.config.archive import Archive
from malexbot.config.backend import Backend
from malexbot.config.backfill import Backfill
from malexbot.config.fields import (
    Block,
    Duration,
    Folder,
    Line,
    Port,
    Sample,
    Secret,
    lowered,
)
from malexbot.config.mattermost import Mattermost as Mattermost
from malexbot.config.permissions import Permissions, Roles, Webhooks
from malexbot.config.plugins import Plugged, Plugins, ProcessorBlocks
from malexbot.config.responses import Responses
from malexbot.config.routes import Routes, Routing
from malexbot.config.targets import HttpTargets, Redis
from malexbot.config.vk import Vk as Vk
from malexbot.config.workers import Workers
from malexbot.config.workstream import Workstream


class Log(Block):
    """What malexbot tells of itself, and how."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(lowered)
    ] = Field(default="info", description="The least that is told.")
    format: Annotated[
        Literal["auto", "text", "json", "journal"], BeforeValidator(lowered)
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
    vk: Vk | None = Field(
        default=None, description="The VK community, and what is done there."
    )
    responses: Responses = Field(
        default=(),
        description="The rules of the processor `response`; each that fits answers.",
    )
    routes: Routes = Field(
        default=(),
        description="The rules of the processor `route`, in their order;"
        " `malexbot route test` tells what they do with an event.",
    )
    routing: Routing = Field(default=Routing(), description="What holds of all routes.")
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
        description="The settings of plugins and of further processors, by their"
        " names. What has decorated functions is switched on with `plugins`; classes"
        " are named in target_events_processors.",
    )
    roles: Annotated[Roles, Sample({"ops": ["anna", "boris"]})] = Field(
        default={},
        description="Who has which role, for `permissions` and for what plugins ask:"
        " user names or ids.",
    )
    permissions: Annotated[
        Permissions,
        Sample({"deploy": {"roles": ["ops"]}, "malex.status": {"users": ["anna"]}}),
    ] = Field(
        default={},
        description="Who may use a plugin or one function of it, and where; this goes"
        " before what the plugin says. `users`, `roles` and `channels` are lists.",
    )
    webhooks: Annotated[
        Webhooks, Sample({"github": {"secret": "as made by: openssl rand -hex 16"}})
    ] = Field(
        default={},
        description="The addresses of plugins, /hooks/github for `github`, each with"
        " the secret that its caller signs with or shows; `secret_file` works too.",
    )
    redis: Redis | None = Field(
        default=None,
        description="The Redis that the targets `redis:STREAM` of routes are in; a"
        " stream is read by `malexbot bus tail` and by malexbot.consumers.reader"
        " (pip install 'malexbot[redis]').",
    )
    http: Annotated[
        HttpTargets,
        Sample(
            {
                "moderation": {
                    "url": "https://moderation.example.org/events",
                    "secret": "as made by: openssl rand -hex 16",
                }
            }
        ),
    ] = Field(
        default={},
        description="The services that the targets `http:NAME` of routes are: events"
        " are posted to them as JSON, signed with the secret.",
    )
    workstream: Workstream = Field(
        default=Workstream(), description="Who is told what malexbot does."
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
    def target_events_processors(self) -> Mapping[str, tuple[str, ...]]:
        """What is done on which event, of all messengers: no two name one alike."""
        ours = self.mattermost.target_events_processors if self.mattermost else {}
        return {**ours, **(self.vk.target_events_processors if self.vk else {})}

    def give_up_after_s(self, target: str) -> float:
        """How long an event is tried there: the target's own settings come first."""
        scheme, _, name = target.partition(":")
        blocks = {"redis": self.redis, "http": self.http.get(name)}
        own = blocks.get(scheme)
        if own is None or own.give_up_after is None:
            return self.routing.give_up_after
        return own.give_up_after

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
