"""What a reload takes over; the rest of the settings needs a restart."""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic import BaseModel

from malexbot.config.model import Config

# A block that stands here alone counts with all that is in it.
AT_ONCE = frozenset(
    {
        "log",
        "drain_timeout",
        "responses",
        "routes",
        "routing",
        "archive",
        "plugins",
        "processors",
        "roles",
        "permissions",
        "webhooks",
        "workstream",
        "redis",
        "http",
        "workers.answers_per_minute",
        "mattermost.filter_messages_contains",
        "mattermost.listen_channels",
        "mattermost.direct",
        "mattermost.target_events_processors",
        "mattermost.command_tokens",
        "mattermost.outgoing_tokens",
        "mattermost.incoming_webhooks",
        "vk.target_events_processors",
    }
)


class Reload(NamedTuple):
    """The settings from now on, and what is to be told of them."""

    config: Config
    changed: tuple[str, ...]
    late: tuple[str, ...]
    """What changed in the file and counts only after a restart."""


def merge(old: Config, fresh: Config) -> Reload:
    """The fresh settings, as far as a running daemon can take them over."""
    changed: list[str] = []
    late: list[str] = []
    config = _merge(old, fresh, "", changed, late)
    return Reload(config, tuple(changed), tuple(late))


def _merge(
    old: Any, fresh: Any, above: str, changed: list[str], late: list[str]
) -> Any:
    kept: dict[str, Any] = {}
    for field in type(fresh).model_fields:
        name, before, after = above + field, getattr(old, field), getattr(fresh, field)
        if before == after:
            continue
        if name not in AT_ONCE and _is_same_block(before, after):
            kept[field] = _merge(before, after, f"{name}.", changed, late)
            continue
        changed.append(name)
        if name not in AT_ONCE:
            late.append(name)
            kept[field] = before
    return fresh.model_copy(update=kept)


def _is_same_block(before: Any, after: Any) -> bool:
    """Yes: one of its settings may count at once although another one does not."""
    return isinstance(after, BaseModel) and type(before) is type(after)
