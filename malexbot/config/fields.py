"""The types that settings are made of: how each is written, read and described.

A validator's ValueError is what the operator reads, after the setting's name. It
never repeats the value: that may be a secret that went astray.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    SecretStr,
    WithJsonSchema,
    model_validator,
)

MASK = "***"

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?) *(ms|s|m|h|d)")
_DURATION = re.compile(rf"({_PART.pattern} *)+")
# What threads can wait for is bounded; a longer time in a setting is a slip.
LONGEST_S = 10 * 365 * 86400


class Block(BaseModel):
    """A map of settings: unknown ones are refused, `name:` with nothing is not set."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,
    )

    # Yes means that "" is not set either, as in a sample that waits to be filled in.
    blank_is_unset: ClassVar[bool] = False

    @model_validator(mode="before")
    @classmethod
    def _only_what_is_set(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        unset = (None, "") if cls.blank_is_unset else (None,)
        return {
            key: value
            for key, value in values.items()
            if value not in unset or key not in cls.model_fields
        }


@dataclass(frozen=True, slots=True)
class Sample:
    """What the commented sample shows for a setting that has no telling default.

    A setting that is `on` stands there to be filled in; the others are comments.
    """

    value: Any = None
    on: bool = False


def read_duration(value: Any) -> float:
    """Seconds, from what an operator writes: 30s, 1h30m, or a bare number."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("needs a duration such as 30s, 10m, 2h or 1d")
    text = str(value).strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        text += "s"
    if not _DURATION.fullmatch(text):
        raise ValueError("needs a duration such as 30s, 10m, 2h or 1d")
    seconds = sum(float(n) * _UNITS[unit] for n, unit in _PART.findall(text))
    if seconds > LONGEST_S:
        raise ValueError("needs a duration of 10 years at most")
    return float(seconds)


def spelled(seconds: float) -> str:
    """A duration as an operator writes it: 90 is `1m30s`."""
    left_ms, parts = round(seconds * 1000), ""
    for unit in ("d", "h", "m", "s", "ms"):
        count, left_ms = divmod(left_ms, round(_UNITS[unit] * 1000))
        parts += f"{count}{unit}" if count else ""
    return parts or "0s"


Duration = Annotated[
    float,
    BeforeValidator(read_duration),
    PlainSerializer(spelled, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "string", "pattern": rf"^({_DURATION.pattern}|[0-9.]+)$"},
            ]
        }
    ),
]


_POWERS = {unit: power for power, unit in enumerate(("", "k", "m", "g", "t"))}
_BYTES = {unit: 1000**power for unit, power in _POWERS.items()}
_BYTES |= {f"{unit}i": 1024**power for unit, power in _POWERS.items() if unit}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) *((?:[kmgt]i?)?)b?", re.IGNORECASE)
_NO_SIZE = "needs a size such as 500kB, 100MB or 2GB"
MOST_BYTES = 10**15


def read_size(value: Any) -> int:
    """Bytes, from what an operator writes: 100MB, 1.5GiB, or a bare number."""
    found = _SIZE.fullmatch(str(value).strip())
    if found is None or isinstance(value, bool):
        raise ValueError(_NO_SIZE)
    size: int = round(float(found[1]) * _BYTES[found[2].lower()])
    if size > MOST_BYTES:
        raise ValueError("needs a size of 1000TB at most")
    return size


def spelled_size(size: int) -> str:
    """A size as an operator writes it: 100000000 is `100MB`."""
    for unit in ("TB", "TiB", "GB", "GiB", "MB", "MiB", "kB", "KiB"):
        count, rest = divmod(size, _BYTES[unit[:-1].lower()])
        if count and not rest:
            return f"{count}{unit}"
    return f"{size}B"


Size = Annotated[
    int,
    BeforeValidator(read_size),
    PlainSerializer(spelled_size, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0},
                {
                    "type": "string",
                    "pattern": r"^[0-9]+(\.[0-9]+)? *([kKMGT]i?)?[bB]?$",
                },
            ]
        }
    ),
]


def lowered(value: Any) -> Any:
    """A word that may be written in any case."""
    return value.strip().lower() if isinstance(value, str) else value


def whole(least: int, most: int) -> Callable[[Any], int]:
    """Reads a whole number within these bounds."""

    def number(value: Any) -> int:
        text = str(value).strip()
        if not re.fullmatch("0|[1-9][0-9]{0,9}", text):
            raise ValueError(f"needs a number from {least} to {most}")
        if not least <= int(text) <= most:
            raise ValueError(f"needs a number from {least} to {most}")
        return int(text)

    return number


def whole_schema(least: int, most: int) -> WithJsonSchema:
    return WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": least, "maximum": most},
                {"type": "string", "pattern": "^[0-9]+$"},
            ]
        }
    )


Port = Annotated[int, BeforeValidator(whole(1, 65535)), whole_schema(1, 65535)]
ListenPort = Annotated[int, BeforeValidator(whole(0, 65535)), whole_schema(0, 65535)]


def _text(value: str) -> str:
    if "\0" in value:
        raise ValueError("needs text without the NUL character")
    return value


def _line(value: str) -> str:
    value = value.strip()
    if not value.isprintable():
        raise ValueError("needs one line of text without control characters")
    return value


def _word(secret: SecretStr) -> SecretStr:
    """Fit for a header and for a form; a line's end is what a file leaves behind."""
    text = secret.get_secret_value().strip()
    if not re.fullmatch("[!-~]+", text):
        raise ValueError("needs one word of plain letters, digits and signs")
    return SecretStr(text)


def _absolute(value: Path) -> Path:
    if not value.is_absolute() or "\0" in str(value):
        raise ValueError("needs an absolute path, one that begins with /")
    return value


Text = Annotated[str, AfterValidator(_text)]
Line = Annotated[str, AfterValidator(_line)]
Folder = Annotated[Path, AfterValidator(_absolute)]
Secret = Annotated[SecretStr, PlainSerializer(lambda _: MASK, when_used="json")]
SecretWord = Annotated[Secret, AfterValidator(_word)]


def several(value: Any) -> Any:
    """One text stands for a list of one; empty text is an empty list."""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return [value] if value != "" else []
    return value


def different(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


ONE_OR_MORE = WithJsonSchema(
    {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
)
Texts = Annotated[
    tuple[Text, ...],
    BeforeValidator(several),
    AfterValidator(different),
    ONE_OR_MORE,
]
Names = Annotated[
    tuple[Line, ...],
    BeforeValidator(several),
    AfterValidator(different),
    ONE_OR_MORE,
]
