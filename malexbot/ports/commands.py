"""The slash commands that we have registered on a server, and how it proves itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Protocol, Self


@dataclass(frozen=True, slots=True)
class KeptCommand:
    """One of them; of its token only the fingerprint is kept."""

    id: str
    team_id: str
    trigger: str
    """As the server has it: without the slash, in small letters."""
    fingerprint: str

    @classmethod
    def of(cls, *, id: str, team_id: str, trigger: str, token: str) -> Self:
        return cls(id, team_id, trigger, _fingerprint(token))

    def accepts(self, token: str) -> bool:
        """Yes: the call comes from who knows the token; it takes the same time."""
        return compare_digest(self.fingerprint, _fingerprint(token))


class Commands(Protocol):
    """Those of one server; raises Transient."""

    def all(self) -> Sequence[KeptCommand]: ...

    def find(self, trigger: str, team_id: str) -> Sequence[KeptCommand]:
        """Those that such a call may come from."""
        ...

    def keep(self, command: KeptCommand) -> None:
        """In place of what was known of the same id."""
        ...

    def forget(self, id: str) -> bool:
        """No: it was not known."""
        ...


def _fingerprint(token: str) -> str:
    """A token is as good as random, so nobody guesses it of this."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
