"""Whether a token is one of those that are good: told in the same time for each."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from hmac import compare_digest

from malexbot.ports import Commands


class CommandTokens:
    """Those of slash commands: kept when we registered them, or in the settings."""

    def __init__(
        self, kept: Commands, by_hand: Callable[[], Mapping[str, str]]
    ) -> None:
        """`by_hand`: by the name of their command, or of their team and command."""
        self._kept = kept
        self._by_hand = by_hand

    def accept(self, token: str, *, trigger: str, team_id: str, team: str) -> bool:
        """Yes: this command of this team sent it. Raises Transient."""
        kept = self._kept.find(trigger, team_id)
        found = [command.accepts(token) for command in kept]
        by_hand, names = self._by_hand(), (trigger, f"{team}/{trigger}")
        tokens = [by_hand[name] for name in names if name in by_hand]
        return any([*found, is_one_of(token, tokens)])


class HookTokens:
    """Those of outgoing webhooks, by the names that the settings give them."""

    def __init__(self, tokens: Callable[[], Mapping[str, str]]) -> None:
        self._tokens = tokens

    def name(self, token: str) -> str:
        """Whose it is; "" if it is nobody's."""
        found = [name for name, one in self._tokens().items() if _same(token, one)]
        return found[0] if found else ""


def is_one_of(token: str, tokens: Sequence[str]) -> bool:
    """All are compared, and one that fits none if there are none."""
    return any([_same(token, one) for one in tokens or (secrets.token_hex(16),)])


def _same(one: str, other: str) -> bool:
    """Their digests: not even the length of the right one shows."""
    return compare_digest(_digest(one), _digest(other))


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
