"""pydantic's errors in the operator's words, with a hint and without the value."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from malexbot.config.document import Document
from malexbot.config.fields import Sample
from malexbot.config.problems import Where
from malexbot.config.shape import block_at, blocks, is_secret, names_in

# Looking for what was meant takes 0.1 ms; nobody reads the thousandth hint.
MEANT = 100

_NEEDS = {
    "string_type": "needs text",
    "int_type": "needs a whole number",
    "int_parsing": "needs a whole number",
    "int_from_float": "needs a whole number",
    "float_type": "needs a number",
    "float_parsing": "needs a number",
    "bool_type": "needs true or false",
    "bool_parsing": "needs true or false",
    "list_type": "needs a list",
    "tuple_type": "needs a list",
    "set_type": "needs a list",
    "dict_type": "needs a map",
    "mapping_type": "needs a map",
    "path_type": "needs a path",
    "model_type": "needs settings below it, each as `name: value`",
    "model_attributes_type": "needs settings below it, each as `name: value`",
}
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "true or false"),
    ((int, float), "a number"),
    (str, "text"),
    (dict, "a map"),
    (list, "a list"),
    (type(None), "nothing"),
)


def explain(
    error: ValidationError, model: type[BaseModel], document: Document, where: Where
) -> None:
    """Add a problem to the document for each thing that pydantic found."""
    for detail in error.errors(include_url=False):
        local: Where = detail["loc"]
        is_early = len(document.problems) < MEANT
        text, hint = _told(dict(detail), model, local, is_early)
        if (*where, *local) in document.hidden and detail["input"] is None:
            hint = "what begins with # is a comment: put it in quotes"
        document.add((*where, *local), text, hint)


def _told(
    detail: dict[str, Any], model: type[BaseModel], local: Where, is_early: bool
) -> tuple[str, str | None]:
    kind, value = detail["type"], detail["input"]
    if kind == "missing":
        return "missing", _example(model, local)
    if kind == "extra_forbidden":
        return "unknown key", _meant(model, local) if is_early else None
    if kind in ("literal_error", "enum"):
        return _choice(str(detail["ctx"]["expected"]), value)
    if kind == "value_error":
        return str(detail.get("ctx", {}).get("error", detail["msg"])), None
    if kind in _NEEDS:
        return f"{_NEEDS[kind]}, not {_kind(value)}", _form(kind, value)
    return str(detail["msg"]).replace("Input should", "should"), None


def _form(kind: str, value: Any) -> str | None:
    """How it has to be written, if that is what went wrong."""
    if kind == "string_type" and isinstance(value, bool):
        return "put it in quotes"
    if kind.startswith("model_") and isinstance(value, str) and ":" in value:
        return "put a blank after each colon"
    if kind in ("list_type", "tuple_type") and isinstance(value, dict):
        return "begin each of its entries with `- `"
    return None


def _kind(value: Any) -> str:
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "this")


def _choice(expected: str, value: Any) -> tuple[str, str | None]:
    choices = [part.strip("' ") for part in expected.replace(" or ", ",").split(",")]
    close = get_close_matches(str(value).lower(), choices, n=1)
    hint = f"did you mean {close[0]!r}?" if close else None
    return f"needs one of {', '.join(choices)}", hint


def _example(model: type[BaseModel], local: Where) -> str | None:
    block, name = block_at(model, local[:-1]), str(local[-1])
    field = block.model_fields.get(name) if block else None
    if field is None:
        return None
    if is_secret(field.annotation):
        return f"write it there, or its file as {name}_file, or a variable as ${{NAME}}"
    samples = (part.value for part in field.metadata if isinstance(part, Sample))
    sample = next(samples, None)
    return f"for example `{name}: {sample}`" if sample else None


def _meant(model: type[BaseModel], local: Where) -> str | None:
    """What the unknown key may have been meant to be, here or in another block."""
    if ":" in str(local[-1]):
        return "put a blank after the colon"
    key = str(local[-1]).strip().lower()
    here = block_at(model, local[:-1])
    names = names_in(here) if here else ()
    if close := get_close_matches(key, names, n=1, cutoff=0.65):
        return f"did you mean {close[0]!r}?"
    elsewhere = dict(_everywhere(model))
    if close := get_close_matches(key, elsewhere, n=1, cutoff=0.75):
        return f"did you mean {elsewhere[close[0]]!r}?"
    return f"known here: {', '.join(names)}" if 0 < len(names) <= 8 else None


def _everywhere(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Each name of the model with its path, the outermost last."""
    for where, block in reversed(list(blocks(model))):
        for name in names_in(block):
            yield name, ".".join((*where, name))
