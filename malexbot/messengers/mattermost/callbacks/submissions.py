"""Dialogs that were filled in, or called off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from malexbot.events import Event, Form
from malexbot.messengers.mattermost.callbacks.granted import look, require_choices
from malexbot.messengers.mattermost.callbacks.reading import (
    LONGEST_NAME,
    caller,
    event,
    json_body,
)
from malexbot.messengers.mattermost.callbacks.refusals import Refused, Unfit
from malexbot.messengers.mattermost.forms import clean
from malexbot.ports import Call, Grants

TYPE = "dialog_submission"
MOST_VALUES = 100


class Submissions:
    """Makes an event of each whose state is that of a dialog of this person."""

    def __init__(self, grants: Grants, now_ms: Callable[[], int]) -> None:
        self._grants = grants
        self._now_ms = now_ms

    def __call__(self, call: Call) -> Event:
        fields = json_body(call)
        who, ref = caller(fields), fields.text("state")
        if fields.text("type") != TYPE:
            raise Unfit(f"not a {TYPE}")
        grant = look(self._grants, ref, "dialog", who).grant
        if fields.text("callback_id") != grant.action.rpartition(".")[2]:
            raise Refused(f"{grant.action}: the state of another dialog ({who})")
        is_cancelled = fields.flag("cancelled")
        values = {} if is_cancelled else _values(fields.map("submission"))
        require_choices(grant, values, who)
        return event(
            "dialog",
            who,
            now_ms=self._now_ms(),
            raw=fields.raw(),
            form=Form(grant.action, values, grant.payload, is_cancelled),
            data={"ref": ref},
        )


def _values(submission: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in each field: one value, or several where many may be chosen."""
    if len(submission) > MOST_VALUES:
        raise Unfit("more fields than a dialog has")
    return {_name(name): _value(value) for name, value in submission.items()}


def _name(name: str) -> str:
    if len(name) > LONGEST_NAME:
        raise Unfit("no name of a field")
    return clean(name)


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return [_single(each) for each in value]
    return _single(value)


def _single(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    raise Unfit("no value of a field")
