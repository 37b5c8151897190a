"""The JSON Schema of the configuration, for editors that check while one types."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from malexbot.config.model import Config

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# `port: ${PORT}` is right although it is no number yet.
_VARIABLE = {"type": "string", "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"}
_NOT_SET = {"type": "null"}


def schema(model: type[BaseModel] = Config) -> dict[str, Any]:
    """The schema, with what load.py accepts beyond what pydantic knows of."""
    whole = model.model_json_schema()
    for block in (whole, *whole.get("$defs", {}).values()):
        block.pop("title", None)
        if "properties" in block:
            _widen(block)
    return {"$schema": DIALECT, "title": "The configuration of malexbot", **whole}


def _widen(block: dict[str, Any]) -> None:
    """Let each setting be empty or a variable, and each secret be in a file."""
    settings: dict[str, Any] = {}
    for name, setting in block["properties"].items():
        settings[name] = _setting(setting)
        if _is_secret(setting):
            text = f"The file that {name} is in."
            settings[f"{name}_file"] = {"type": ["string", "null"], "description": text}
            block["required"] = [
                other for other in block.get("required", ()) if other != name
            ]
    block["properties"] = settings


def _forms(setting: dict[str, Any]) -> list[dict[str, Any]]:
    forms: list[dict[str, Any]] = setting.get("anyOf", [setting])
    return forms


def _is_secret(setting: dict[str, Any]) -> bool:
    return any(form.get("format") == "password" for form in _forms(setting))


def _setting(setting: dict[str, Any]) -> dict[str, Any]:
    told = ("description", "default")
    kept: dict[str, Any] = {key: setting.pop(key) for key in told if key in setting}
    setting.pop("title", None)
    forms = _forms(setting)
    if not any("$ref" in form or _is_any_text(form) for form in forms):
        forms = [*forms, _VARIABLE]
    if _NOT_SET not in forms:
        forms = [*forms, _NOT_SET]
    return {"anyOf": forms, **kept}


def _is_any_text(form: dict[str, Any]) -> bool:
    return form.get("type") == "string" and not form.keys() & {"enum", "pattern"}
