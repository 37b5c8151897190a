"""Who may set something off, and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from malexbot.config.permissions import Permission
from malexbot.events import Event
from malexbot.plugins.refusal import Refused

# The people of each role, by user name or id.
Roles = Mapping[str, Sequence[str]]
# Where anybody takes any name that is free, for a chat too: only ids count.
OF_ANYBODY = frozenset({"vk"})
# A part of it that is None asks for nothing.
Set = frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Permit:
    """Whoever is one of `users`, in one of `channels`; None is anybody, anywhere."""

    users: Set = None
    channels: Set = None

    def allows(self, event: Event) -> bool:
        """Yes: the person of the event may do this, where the event was."""
        return self._knows_user(event) and self._knows_channel(event)

    def _knows_user(self, event: Event) -> bool:
        if self.users is None:
            return True
        user = event.user
        # Programs call themselves what they like: only their id counts.
        is_program = event.post is not None and event.post.by_bot
        is_free = is_program or event.source in OF_ANYBODY
        nick = "" if is_free else (user.nick or "").lower()
        return str(user.uuid) in self.users or (nick != "" and nick in self.users)

    def _knows_channel(self, event: Event) -> bool:
        if self.channels is None:
            return True
        # What a post calls its channel anybody can choose; not what its address says.
        name = event.data.get("channel_name") or event.peer.name
        if event.source in OF_ANYBODY:
            name = None
        told = (str(event.peer.bpid), name)
        return any(isinstance(each, str) and each in self.channels for each in told)


def permit(asked: Permission, roles: Roles) -> Permit:
    """What a plugin or the operator asks for; raises Refused for an unknown role."""
    users = set(_names(asked.users))
    for role in asked.roles:
        if role not in roles:
            known = ", ".join(roles) or "none"
            hint = f"write its people below `roles:` (known: {known})"
            raise Refused(f"there is no role {role!r}; {hint}")
        users |= _names(roles[role])
    channels = frozenset(name.lstrip("~") for name in asked.channels)
    # A role that has no people is one that nobody has, not everybody.
    is_bound = bool(asked.users or asked.roles)
    return Permit(frozenset(users) if is_bound else None, channels or None)


def _names(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.removeprefix("@").lower() for name in names)
