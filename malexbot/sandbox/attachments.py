"""Attachments of a post: how they are kept, and what of them a client is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from malexbot.sandbox.clock import new_id
from malexbot.sandbox.model import Json

_EMPTY: Json = {
    "id": 0,
    "fallback": "",
    "color": "",
    "pretext": "",
    "author_name": "",
    "author_link": "",
    "author_icon": "",
    "title": "",
    "title_link": "",
    "text": "",
    "fields": None,
    "image_url": "",
    "thumb_url": "",
    "footer": "",
    "footer_icon": "",
    "ts": None,
}
_ACTION = (
    *("type", "name", "disabled", "style", "data_source", "options"),
    *("default_option", "integration", "cookie"),
)


def dressed(props: Json) -> Json:
    """Sorted, each attachment with all its fields and each action with an id."""
    props = dict(sorted(props.items()))
    given = props.get("attachments")
    if isinstance(given, list):
        props["attachments"] = whole(given)
    return props


def whole(given: list[Any]) -> list[Json]:
    """What is not known is dropped; what is missing is filled in."""
    return [_whole(item) for item in given if isinstance(item, dict)]


def shown(props: Json) -> Json:
    """Without what a press sends: no client ever sees that."""
    if not any(True for _ in actions(props)):
        return props
    return _changed(props, lambda action: _without(action, "integration"))


def with_cookies(props: Json) -> Json:
    """Each action with a secret by which the press of it is known again."""
    return _changed(props, lambda action: action | {"cookie": new_id() + new_id()})


def actions(props: Json) -> Iterator[Json]:
    """All buttons and menus of a post."""
    for attachment in _attachments(props):
        yield from attachment.get("actions", ())


def _attachments(props: Json) -> list[Json]:
    given = props.get("attachments")
    return given if isinstance(given, list) else []


def _changed(props: Json, change: Callable[[Json], Json]) -> Json:
    if not _attachments(props):
        return props
    changed = [
        (
            attachment
            | {"actions": [change(action) for action in attachment["actions"]]}
            if "actions" in attachment
            else attachment
        )
        for attachment in _attachments(props)
    ]
    return props | {"attachments": changed}


def _without(action: Json, name: str) -> Json:
    return {key: value for key, value in action.items() if key != name}


def _whole(given: Json) -> Json:
    known = {k: v for k, v in given.items() if k in _EMPTY and v is not None}
    kept = _EMPTY | known
    if isinstance(given.get("actions"), list) and given["actions"]:
        acting = [each for each in given["actions"] if isinstance(each, dict)]
        kept["actions"] = [_action(each) for each in acting]
    return kept


def _action(given: Json) -> Json:
    id = given.get("id") or new_id()
    made = {"id": id} | {name: given[name] for name in _ACTION if given.get(name)}
    return (
        made if _is_callable(made.get("integration")) else _without(made, "integration")
    )


def _is_callable(integration: Any) -> bool:
    """Yes: a press knows whom to tell, and what."""
    if not isinstance(integration, dict) or not isinstance(integration.get("url"), str):
        return False
    return isinstance(integration.get("context") or {}, dict)
