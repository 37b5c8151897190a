"""The checks of Mattermost, in the order in which one needs the other."""

from __future__ import annotations

from pathlib import Path

from malexbot.cli.doctor import bot, sending, server, websocket
from malexbot.cli.doctor.checks import Check, Theme, unasked
from malexbot.cli.doctor.machine import port
from malexbot.cli.doctor.visit import Visit
from malexbot.config.backend import Backend
from malexbot.config.model import Config


def theme(config: Config, config_file: Path, send_to: str | None) -> Theme:
    """`send_to`: a channel, "" for the one that the settings name, None for none."""
    if config.mattermost is None:
        nothing = unasked(f"not asked: {config_file} has no block mattermost")
        return Theme([port(config.backend), Check("Mattermost", lambda: nothing)])
    visit = Visit(config.mattermost, config_file)
    checks = [
        port(config.backend),
        *server.reach(visit),
        *bot.identity(visit),
        *bot.places(visit),
        server.site(visit),
        websocket.check(visit),
        _callbacks(visit, config.backend),
    ]
    if send_to is not None:
        checks.append(sending.check(visit, send_to))
    made = Theme(checks)
    made.opened.callback(visit.close)
    return made


def _callbacks(visit: Visit, backend: Backend) -> Check:
    if not backend.public_url:
        nothing = unasked(
            "not asked: backend.public_url, where the server would call us, is not set"
        )
        return Check("callbacks", lambda: nothing)

    # Brings the HTTP server with it.
    from malexbot.cli.doctor import callbacks

    return callbacks.check(visit, backend, backend.public_url)
