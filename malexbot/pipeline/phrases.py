"""What malexbot itself says to people, in their language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Key = Literal["moment", "unknown", "failed", "taken", "unopened"]

ENGLISH = "en"
_PHRASES: Mapping[Key, Mapping[str, str]] = {
    "moment": {"en": "One moment…", "ru": "Минуту…"},
    "unknown": {
        "en": "Nobody here answers that any more.",
        "ru": "Здесь на это уже никто не отвечает.",
    },
    "failed": {
        "en": "That went wrong; the operator finds the reason in the log.",
        "ru": "Не получилось; причину оператор найдёт в журнале.",
    },
    "taken": {
        "en": "Somebody was faster, or it is too late for that.",
        "ru": "Кто-то успел раньше, или время уже вышло.",
    },
    "unopened": {
        "en": "The form could not be opened in time; please ask for it once more.",
        "ru": "Форма не успела открыться; вызовите её, пожалуйста, ещё раз.",
    },
}


def phrase(key: Key, locale: str) -> str:
    """In that language if we speak it; de-AT is de."""
    told = _PHRASES[key]
    return told.get(locale.partition("-")[0].lower(), told[ENGLISH])
