"""What a pressed button may set off: looked up by the reference in its payload.

Who pressed, where and on what VK tells itself. The payload it takes from whoever sends
it: anybody may write any there, and so a reference that is not theirs.
"""

from __future__ import annotations

import logging
import re

from malexbot.events import Button, Event
from malexbot.ports import Granted, Grants

log = logging.getLogger(__name__)

_REF = re.compile("[0-9a-f]{32}")


class Presses:
    """Tells handlers of presses; one that may not be stays as it came.

    One that is used up is told: who was too late to take it hears so.
    """

    def __init__(self, grants: Grants) -> None:
        self._grants = grants

    def read(self, event: Event) -> Event:
        """The same press, with the action and the payload of its grant.

        As it came, it names no action: no handler is called, though it can be routed.
        Raises Transient when nobody can tell now.
        """
        button = event.button
        ref = button.payload.get("ref") if button else None
        if button is None or not isinstance(ref, str) or not _REF.fullmatch(ref):
            return event
        choice = str(button.payload.get("choice") or "")
        found = self._grants.look(ref)
        if found is None or (why := _objection(found, event, button, choice)):
            log.warning(
                "VK: a press by %s in %s sets nothing off: %s (event %s)",
                event.user.uuid,
                event.peer.bpid,
                "its reference is unknown" if found is None else why,
                event.event_id,
            )
            return event
        grant = found.grant
        return event._replace(
            button=Button(button.cmid, grant.action, grant.payload),
            data={**event.data, "ref": ref, "choice": choice},
        )


def _objection(found: Granted, event: Event, button: Button, choice: str) -> str:
    """Why not; "" if it may be."""
    grant = found.grant
    if grant.kind != "button":
        return f"{grant.action}: it is a {grant.kind}"
    if found.is_expired:
        return f"{grant.action}: it is expired"
    if grant.users and str(event.user.uuid) not in map(str, grant.users):
        return f"{grant.action}: it is somebody else's"
    if grant.channel_id and grant.channel_id != str(event.peer.bpid):
        return f"{grant.action}: it is another conversation's"
    if found.post_id and not _is_message(found.post_id, event, button):
        return f"{grant.action}: it stands on another message"
    if grant.options and choice not in grant.options:
        return f"{grant.action}: there is no such choice"
    return ""


def _is_message(post_id: str, event: Event, button: Button) -> bool:
    """Yes: it stands below that message, which may be named by its number alone."""
    peer_id, colon, cmid = post_id.rpartition(":")
    is_there = not colon or peer_id == str(event.peer.bpid)
    return is_there and cmid == str(button.cmid)
