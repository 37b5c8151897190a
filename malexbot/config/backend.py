"""Where malexbot serves HTTP, and how others reach it there."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from malexbot.config.address import parse_address
from malexbot.config.fields import Block, Line, ListenPort, Names, Sample


class Backend(Block):
    """Where malexbot serves HTTP: its health, its metrics, and what comes in."""

    blank_is_unset: ClassVar[bool] = True

    host: Line = Field(
        default="127.0.0.1",
        description="The address to listen on; 0.0.0.0 is every one of this machine.",
    )
    port: ListenPort = Field(
        default=8765, description="The port to listen on; 0 takes a free one."
    )
    public_url: Annotated[Line | None, Sample("https://malexbot.example.org")] = Field(
        default=None,
        description="Where the Mattermost server reaches that port, for buttons and"
        " slash commands; `malexbot doctor` tries it.",
    )
    trusted_proxies: Names = Field(
        default=("127.0.0.1", "::1"),
        description="The proxies whose word is taken for who calls (X-Forwarded-For):"
        " addresses, or networks such as 10.0.0.0/8.",
    )

    @field_validator("host")
    @classmethod
    def _only_a_host(cls, host: str) -> str:
        needs = "needs an address alone, such as 127.0.0.1 or 0.0.0.0"
        try:
            address = parse_address(host)
        except ValueError:
            raise ValueError(needs) from None
        if address.port or address.path or address.secure is not None:
            raise ValueError(needs)
        return address.host.strip("[]")

    @field_validator("public_url")
    @classmethod
    def _a_whole_url(cls, text: str | None) -> str | None:
        if text is None:
            return None
        address = parse_address(text)
        if address.secure is None:
            raise ValueError("needs https:// or http:// at its beginning")
        return address.url("http", "")

    @field_validator("trusted_proxies")
    @classmethod
    def _only_addresses(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        try:
            for proxy in proxies:
                ip_network(proxy)
        except ValueError:
            raise ValueError(
                "needs addresses, or networks such as 10.0.0.0/8, and nothing else"
            ) from None
        return proxies
