"""Takes secrets out of text that people will read."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus

STARS = "***"
# A shorter secret is masked only where it stands alone: "a" is in every word.
SHORT = 6


class Mask:
    """A function from text to the same text without the secrets it was given."""

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        self.add(secrets)

    def add(self, secrets: tuple[str, ...]) -> None:
        self._secrets |= {secret for secret in secrets if secret}
        forms = {form for secret in self._secrets for form in disguises(secret)}
        parts = [pattern(form) for form in sorted(forms, key=len, reverse=True)]
        self._pattern = re.compile("|".join(parts)) if parts else None

    def __call__(self, text: str) -> str:
        return self._pattern.sub(STARS, text) if self._pattern else text


def disguises(secret: str) -> set[str]:
    """The secret as it stands in messages, URLs, JSON, Python, and headers."""
    in_base64 = base64.b64encode(secret.encode(errors="surrogateescape")).decode()
    return {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        in_base64,
        *(line for line in secret.splitlines() if len(line) >= SHORT),
    }


def pattern(form: str) -> str:
    words = re.escape(form)
    return words if len(form) >= SHORT else rf"(?<!\w){words}(?!\w)"
