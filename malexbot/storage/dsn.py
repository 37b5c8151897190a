"""Where a database is and as whom we go there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import psycopg2
from psycopg2.extensions import parse_dsn

from malexbot.config import model
from malexbot.errors import Misconfigured

_OURS = {"host", "port", "user", "password", "dbname"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dsn:
    """One database on one server; its text and repr never show the password."""

    host: str
    port: int = 5432
    user: str = ""
    """Empty: who we are to the system."""
    password: str = field(default="", repr=False)
    dbname: str = "malexbot"
    extra: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Further parameters of libpq, such as sslmode."""

    @classmethod
    def from_settings(cls, settings: model.Database) -> Dsn:
        password = settings.password
        return cls(
            host=settings.host,
            port=settings.port,
            user=settings.username or "",
            password=password.get_secret_value() if password else "",
            dbname=settings.name,
        )

    @classmethod
    def from_url(cls, url: str) -> Dsn:
        """Parse `postgresql://user:password@host:port/name?sslmode=require`."""
        try:
            given = {key: str(value) for key, value in parse_dsn(url).items()}
            port = int(given.get("port", 5432))
        except (psycopg2.Error, ValueError):
            # not chained: libpq quotes what it was given, passwords too
            raise Misconfigured(
                "not a database address; write it like"
                " postgresql://malexbot:password@db.example.org:5432/malexbot"
            ) from None
        user = given.get("user", "")
        return cls(
            host=given.get("host", "localhost"),
            port=port,
            user=user,
            password=given.get("password", ""),
            dbname=given.get("dbname") or user or "malexbot",
            extra=tuple((k, v) for k, v in given.items() if k not in _OURS),
        )

    def named(self, dbname: str) -> Dsn:
        """The same server and user, another database."""
        return replace(self, dbname=dbname)

    def parameters(self) -> dict[str, str | int]:
        """What libpq's connect is given."""
        given: dict[str, str | int] = {"host": self.host, "port": self.port}
        given |= {"dbname": self.dbname, **dict(self.extra)}
        if self.user:
            given["user"] = self.user
        if self.password:
            given["password"] = self.password
        return given

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        return f"{user}{self.host}:{self.port}/{self.dbname}"
