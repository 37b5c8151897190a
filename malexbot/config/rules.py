"""The settings that are rules: they are compiled when the file is read."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from malexbot.config.fields import Text


def _condition(text: str) -> str:
    # Jinja2 takes 0.1 s to import: only who has a rule pays for it.
    from malexbot.rules import Condition

    if text.strip():
        Condition(text)
    return text


def _template(text: str) -> str:
    from malexbot.rules import Template

    Template(text)
    return text


ConditionText = Annotated[Text, AfterValidator(_condition)]
TemplateText = Annotated[Text, AfterValidator(_template)]
