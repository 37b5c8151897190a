"""Finds one's way in models: which block or secret is at which place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from malexbot.config.problems import Where


def bare(annotation: Any) -> Any:
    """The type without `Annotated` and without `| None`."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return bare(get_args(annotation)[0])
    if origin in (Union, UnionType):
        inner = [arg for arg in get_args(annotation) if arg is not type(None)]
        return bare(inner[0])
    return annotation


def is_secret(annotation: Any) -> bool:
    return bare(annotation) is SecretStr


def block_of(annotation: Any) -> type[BaseModel] | None:
    """The model that the annotation is, or None."""
    kind = bare(annotation)
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def inner(annotation: Any, part: str | int) -> Any:
    """The type of what is at `part` of a value of this type; None if nobody knows."""
    kind = bare(annotation)
    if block := block_of(kind):
        field = block.model_fields.get(str(part))
        return field.annotation if field else None
    args = get_args(kind)
    origin = get_origin(kind)
    if not args or not isinstance(origin, type):
        return None
    return args[-1 if issubclass(origin, Mapping) else 0]


def block_at(model: type[BaseModel], where: Where) -> type[BaseModel] | None:
    annotation: Any = model
    for part in where:
        annotation = inner(annotation, part)
    return block_of(annotation)


def names_in(block: type[BaseModel]) -> tuple[str, ...]:
    """What can be written in a block; a secret may be in a file, `<name>_file`."""
    names: list[str] = []
    for name, field in block.model_fields.items():
        name = field.alias or name
        names += [name, f"{name}_file"] if is_secret(field.annotation) else [name]
    return tuple(names)


def blocks(
    model: type[BaseModel], where: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    """Every block of a model and where it is, the model itself first."""
    yield where, model
    for name, field in model.model_fields.items():
        if block := block_of(field.annotation):
            yield from blocks(block, (*where, name))
