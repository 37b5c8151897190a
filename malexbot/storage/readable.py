"""Text that came from anywhere, as PostgreSQL can keep it."""

from __future__ import annotations


def readable(text: str) -> str:
    """With what it cannot keep, NUL and lone surrogates, written out."""
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()
