"""The ids by which a dialog may be opened: signed, and good for a moment."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

from malexbot.sandbox.clock import new_id
from malexbot.sandbox.refusals import Refusal
from malexbot.sandbox.world import World

_DECODE = "interactive_message.decode_trigger_id"


@dataclass(frozen=True)
class Triggers:
    """Each command and each press has one, for the person who did it."""

    world: World
    _secret: bytes = field(default_factory=lambda: new_id().encode())

    def make(self, user_id: str) -> tuple[str, str]:
        """What the person's client is told, and what the integration is."""
        client_id = new_id()
        told = f"{client_id}:{user_id}:{self.world.now_ms()}:"
        whole = f"{told}{self._signature(told)}"
        return client_id, base64.b64encode(whole.encode()).decode()

    def read(self, trigger: str) -> tuple[str, str]:
        """The client's id and the user's; refused if it is forged or too old."""
        parts = self._decoded(trigger).split(":")
        if len(parts) != 4:
            raise Refusal(f"{_DECODE}.missing_data")
        client_id, user_id, made_at, signature = parts
        told = f"{client_id}:{user_id}:{made_at}:"
        self._require_fresh(made_at)
        if not hmac.compare_digest(signature, self._signature(told)):
            raise Refusal(f"{_DECODE}.verify_signature_failed")
        return client_id, user_id

    def _decoded(self, trigger: str) -> str:
        try:
            return base64.b64decode(trigger, validate=True).decode("latin-1")
        except ValueError as error:
            detail = f"illegal base64 data at input byte {len(trigger) // 4 * 4}"
            raise Refusal(f"{_DECODE}.base64_decode_failed", detail) from error

    def _require_fresh(self, made_at: str) -> None:
        longest_s = self.world.settings.trigger_s
        made_ms = int(made_at) if made_at.isdecimal() else 0
        if self.world.now_ms() - made_ms > longest_s * 1000:
            raise Refusal(
                f"{_DECODE}.expired",
                message="Trigger ID for interactive dialog is expired. "
                f"Trigger IDs live for a maximum of {longest_s:g} seconds.",
                status=400,
            )

    def _signature(self, told: str) -> str:
        digest = hmac.digest(self._secret, told.encode(), hashlib.sha256)
        return base64.b64encode(digest).decode()
