"""The configuration in effect as YAML, every default in it and no secret."""

from __future__ import annotations

import re
from typing import Any

import yaml
from pydantic import BaseModel

from malexbot.config.fields import MASK

_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s]+@")


def show(config: BaseModel) -> str:
    """What load.py reads back as the same configuration, but for the secrets."""
    values = _masked(config.model_dump(mode="json", by_alias=True))
    return str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=100))


def _masked(value: Any) -> Any:
    """The values without the passwords that are in URLs, and safe from `${`."""
    if isinstance(value, dict):
        return {key: _masked(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_masked(part) for part in value]
    if isinstance(value, str):
        return _PASSWORD.sub(rf"\1{MASK}@", value).replace("${", "$${")
    return value
