"""The commented sample of the configuration, made from the model.

A setting that has to be filled in stands there as it is; every other one is a
comment that shows its default, so that the file says only what an operator chose.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from malexbot.config.fields import Sample
from malexbot.config.model import Config
from malexbot.config.shape import bare, block_of, inner, is_secret

WIDTH = 80

HEAD = """\
# The configuration of malexbot.
#
#   malexbot check             tells whether it is right, and what malexbot would do
#   malexbot check --show      prints it with every default and without the secrets
#   systemctl reload malexbot  takes up what can change while malexbot runs
#
# A line such as `#level: info` is a default: take the # away to change it.
# Durations are written 30s, 10m, 2h or 1d. In any text ${NAME} is the value of the
# environment variable NAME. A secret can also be in a file that its `_file` setting
# names, or be a systemd credential with the setting's full name: mattermost.token
"""

# Text that needs no quotes, whoever reads it.
_PLAIN = re.compile(
    r"(?!(?:null|true|false|yes|no|on|off)$)[a-z/][\w./:-]*"
    r"|[0-9]+([smhd]|[kMGT]i?B)|[0-9]+(\.[0-9]+){3}",
    re.IGNORECASE,
)


def sample(model: type[BaseModel] = Config) -> str:
    """The text of the sample file."""
    return HEAD + "".join(f"{line}\n" for line in _block(model, ()))


def _block(block: type[BaseModel], where: tuple[str, ...]) -> Iterator[str]:
    for index, (name, field) in enumerate(block.model_fields.items()):
        if index or not where:
            yield ""
        yield from _comment(field, WIDTH - 2 * len(where))
        yield from _setting((*where, name), field, block)


def _comment(field: FieldInfo, width: int) -> list[str]:
    text = field.description or ""
    if choices := _choices(field):
        text += f" One of {', '.join(choices)}."
    return textwrap.wrap(
        text, width, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )


def _choices(field: FieldInfo) -> tuple[str, ...]:
    kind = bare(field.annotation)
    return get_args(kind) if get_origin(kind) is Literal else ()


def _setting(
    where: tuple[str, ...], field: FieldInfo, block: type[BaseModel]
) -> Iterator[str]:
    name = where[-1]
    shown = next((part for part in field.metadata if isinstance(part, Sample)), None)
    is_on = field.is_required() or (shown is not None and shown.on)
    if item := _item_of(field.annotation):
        lines = [f"{name}:", *_list(item, shown.value if shown else ())]
    elif inside := block_of(field.annotation):
        lines = [f"{name}:", *(f"  {line}".rstrip() for line in _block(inside, where))]
        is_on = is_on or field.default is not None
    else:
        lines = _written(name, shown.value if shown else _default(name, field, block))
    yield from lines if is_on else (f"#{line}" for line in lines)
    if is_secret(field.annotation):
        yield f"#{name}_file: /etc/malexbot/{'.'.join(where)}"


def _item_of(annotation: Any) -> type[BaseModel] | None:
    """The block that a list is made of; None for what is no list of blocks."""
    kind = bare(annotation)
    if not get_args(kind) or _is_map(kind):
        return None
    return block_of(inner(kind, 0))


def _is_map(kind: Any) -> bool:
    origin = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _list(item: type[BaseModel], examples: Sequence[Mapping[str, Any]]) -> list[str]:
    """The first example with every setting explained, the others as they are."""
    lines: list[str] = []
    for place, example in enumerate(examples):
        mark = "  - "
        for name, field in item.model_fields.items():
            if place == 0:
                lines += (f"    {line}" for line in _comment(field, WIDTH - 4))
            key = field.alias or name
            value = example.get(key, _default(name, field, item))
            if key in example or place == 0:
                lines.append(f"{mark}{key}: {_flow(value)}")
                mark = "    "
    return lines


def _default(name: str, field: FieldInfo, block: type[BaseModel]) -> Any:
    """The default as it is written in the file: a duration is `20s`."""
    dumped = block.model_construct().model_dump(mode="json", include={name})
    return dumped.get(name, field.default)


def _written(name: str, value: Any) -> list[str]:
    if isinstance(value, Mapping) and value:
        inner = [line for key, part in value.items() for line in _written(key, part)]
        return [f"{name}:", *(f"  {line}" for line in inner)]
    return [f"{name}: {_flow(value)}"]


def _flow(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return value
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_flow, value))}]"
    return json.dumps(value, ensure_ascii=False)
