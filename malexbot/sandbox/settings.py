"""The server's limits, delays and switches, which a sandbox can be given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Settings:
    """The limits of a real server; tests shorten the delays to milliseconds."""

    version: str = "5.37.0"
    build: str = "5.37.0.6db153c4e5d2343f52e6962bff99dab7.false"
    # Fills `detailed_error`, as EnableDeveloper does.
    is_developer: bool = False
    # What it tells as its SiteURL; by default the address that it was asked by.
    site_url: str | None = None
    # Whether people find Integrations > Bot Accounts.
    has_bot_accounts: bool = True
    # AllowedUntrustedInternalConnections: hosts, addresses, networks. A real server
    # has none of itself, and then calls no integration on an internal address.
    allowed_internal: str = "localhost 127.0.0.1"
    # How long it waits for an integration.
    integration_s: float = 30
    # How long a dialog may be opened by what a command or a press brought; newer
    # servers wait longer.
    trigger_s: float = 3
    # Newer servers tell a command the thread that it was typed in.
    tells_root_id: bool = False
    # How long, and how often, the answer to a slash command may follow.
    response_url_s: float = 1800
    response_url_uses: int = 5
    # Servers before 6.1 answer users/me/channels with 404.
    has_users_me_channels: bool = False
    # Servers since 6.0 put a copy of a linked post into the one that links to it.
    has_previews: bool = False
    max_post_runes: int = 16383
    max_props_runes: int = 8000
    max_file_ids_runes: int = 300
    max_file_bytes: int = 104857600
    since_limit: int = 1000
    dedupe_s: float = 30

    # The websocket.
    is_reliable: bool = True
    ping_every_s: float = 60
    pong_wait_s: float = 100
    auth_wait_s: float = 5
    reaper_every_s: float = 300
    stale_after_s: float = 300
    send_queue: int = 256
    dead_queue: int = 128
    max_frame_bytes: int = 8192
    # The real server leaves Nagle's algorithm on for websockets (40 ms with a
    # client that delays its ACKs).
    has_nagle: bool = False

    # The rate limit: 0 a second is none.
    rate_per_s: float = 0
    rate_burst: int = 100
    # With VaryByUser on, an ok answer carries each header twice: "6, 6".
    doubles_rate_headers: bool = False

    @property
    def version_id(self) -> str:
        return f"{self.version}.{self.build}"
