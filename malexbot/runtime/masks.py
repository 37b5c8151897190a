"""Takes secrets out of text that people will read."""

from __future__ import annotations

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus

STARS = "***"
# A shorter secret is masked only where it stands alone: "a" is in every word.
SHORT = 6
# What a server has made for us to call it by, and is in no settings.
_IN_ADDRESSES = re.compile(r"(?<=[?&]key=)[^&\s\"']+")


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
        if "key=" in text:
            text = _IN_ADDRESSES.sub(STARS, text)
        return self._pattern.sub(STARS, text) if self._pattern else text


def disguises(secret: str) -> set[str]:
    """The secret as it stands in messages, URLs, JSON, SQL, pages and headers."""
    in_bytes = secret.encode(errors="surrogateescape")
    in_json = {json.dumps(secret), json.dumps(secret, ensure_ascii=False)}
    twice = {json.dumps(form[1:-1]) for form in in_json}
    quoted = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    return {
        secret,
        *quoted,
        *(_lower_escapes(form) for form in quoted),
        *(form[1:-1] for form in in_json | twice),
        repr(secret)[1:-1],
        repr(in_bytes)[2:-1],
        html.escape(secret),
        secret.replace("'", "''"),
        secret.replace("\\", "\\\\").replace("'", "\\'"),
        *in_base64(in_bytes),
        *(line for line in secret.splitlines() if len(line) >= SHORT),
    } - {""}


def in_base64(secret: bytes) -> set[str]:
    """What is the same wherever the secret stands in a text that is encoded.

    Three bytes make four letters, so there are three ways to begin; the letters at
    the edges also depend on the neighbours and are left out.
    """
    forms = {base64.b64encode(secret).decode()}
    if len(secret) < SHORT:
        return forms
    for before in range(3):
        letters = base64.b64encode(bytes(before) + secret).decode()
        first = (0, 2, 3)[before]
        last = (before + len(secret)) * 8 // 6
        forms.add(letters[first:last])
    return forms


def _lower_escapes(form: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), form)


def pattern(form: str) -> str:
    """A short secret is masked where no letter or digit touches it."""
    words = re.escape(form)
    return words if len(form) >= SHORT else rf"(?<![^\W_]){words}(?![^\W_])"
