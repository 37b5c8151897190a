"""What a press or a filled in dialog may set off: looked up by its secret reference.

Mattermost signs nothing. That a call is real shows in its reference alone, which in a
button nobody but the server and we have ever seen. A dialog's is known to the browser
that it opened in: so who sends it can only say that he is himself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from malexbot.messengers.mattermost.callbacks.reading import Caller, Fields, is_id
from malexbot.messengers.mattermost.callbacks.refusals import Refused
from malexbot.ports import Grant, Granted, Grants
from malexbot.ports.grants import GrantKind, field_options

_REF = re.compile("[0-9a-f]{32}")


def look(grants: Grants, ref: object, kind: GrantKind, who: Caller) -> Granted:
    """The grant, if it is this person's, here and now; raises Refused, Transient."""
    found = grants.look(ref) if isinstance(ref, str) and _REF.fullmatch(ref) else None
    if found is None:
        raise Refused(f"no {kind} is known by that reference ({who})")
    if why := _objection(found, kind, who):
        raise Refused(f"{found.grant.action}: {why} ({who})")
    return found


def require_place(found: Granted, post_id: str, who: Caller) -> None:
    """It was pressed on the post that carries it."""
    if found.post_id and found.post_id != post_id:
        raise Refused(f"{found.grant.action}: not on its post, {post_id} ({who})")


def require_choice(grant: Grant, choice: str, fields: Fields, who: Caller) -> None:
    """The server lets anything be chosen, and also nothing."""
    if grant.options and choice not in grant.options:
        raise Refused(f"{grant.action}: no such choice ({who})")
    if fields.text("type") == "select" and not choice:
        raise Refused(f"{grant.action}: nothing is chosen ({who})")
    if fields.text("data_source") and not is_id(choice):
        raise Refused(f"{grant.action}: what is chosen is no id ({who})")


def require_choices(grant: Grant, values: Mapping[str, Any], who: Caller) -> None:
    """A browser sends what it likes of a dialog; what is left empty is nothing."""
    for field, options in field_options(grant).items():
        given = values.get(field)
        for each in given if isinstance(given, list) else [given]:
            is_any = None in options and isinstance(each, str) and is_id(each)
            if each not in (None, "") and each not in options and not is_any:
                raise Refused(f"{grant.action}: no such choice in {field!r} ({who})")


def _objection(found: Granted, kind: GrantKind, who: Caller) -> str:
    """Why not; "" if it may be."""
    grant = found.grant
    if grant.kind != kind:
        return f"it is a {grant.kind}, not a {kind}"
    if found.is_expired:
        return "it is expired"
    if found.uses_left is not None and found.uses_left <= 0:
        return "it is used up"
    users = [str(user) for user in grant.users]
    if kind == "dialog" and not users:
        return "a dialog that is nobody's"
    if users and who.user_id not in users:
        return "it is somebody else's"
    if grant.channel_id and str(grant.channel_id) != who.channel_id:
        return "it is another channel's"
    return ""
