"""The grants: made with what carries them, looked at by whoever shows a reference.

One use of several that are a choice counts for all of them: whoever uses one takes
the locks of all, in one order, so of two that are pressed at once one comes second.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from malexbot.errors import Unstorable
from malexbot.ports import GiveBack, Grant, Granted, PostKnown
from malexbot.storage.database import Database
from malexbot.storage.plain import to_json
from malexbot.storage.statement import Statement

# What nobody has made is not asked for.
_REF = re.compile("[A-Za-z0-9]{1,64}")

# The words of a payload stay as they are: what reads this JSON refuses a NUL in it.
MAKE = Statement(
    "make_grants",
    """
INSERT INTO grants (ref, kind, action, payload, channel_id, users, options, choice,
  uses, caused_by, made_at, expires_at)
SELECT ref, kind, action, payload::json, channel_id, users, options, choice, uses,
  %(caused_by)s::text, statement_timestamp(),
  statement_timestamp() + expires_s * interval '1 second'
FROM json_to_recordset(%(grants)s) AS told (
  ref text, kind text, action text, payload text, channel_id text, users text[],
  options text[], choice text, uses int, expires_s float8
)
ON CONFLICT (ref) DO NOTHING
""",
)
LOCK_GIVEN_BACK = Statement(
    "lock_given_back",
    """
SELECT ref FROM grants WHERE choice IN (
  SELECT choice FROM grants
  JOIN json_to_recordset(%(given_back)s) AS told (ref text) USING (ref)
)
ORDER BY ref FOR UPDATE
""",
)
GIVE_BACK = Statement(
    "give_back_grants",
    """
WITH back AS (
  DELETE FROM grant_uses u
  USING json_to_recordset(%(given_back)s) AS told (ref text, event_id text)
  WHERE u.ref = told.ref AND u.event_id = told.event_id RETURNING u.ref
), choices AS (
  SELECT choice, count(*) AS times FROM back JOIN grants USING (ref)
  WHERE uses IS NOT NULL GROUP BY choice
)
UPDATE grants SET used = used - times FROM choices
WHERE grants.choice = choices.choice
""",
)
KNOW_POSTS = Statement(
    "know_posts_of_grants",
    """
WITH locked AS (
  SELECT ref, told.post_id FROM grants
  JOIN json_to_recordset(%(known)s) AS told (ref text, post_id text) USING (ref)
  ORDER BY ref FOR UPDATE OF grants
)
UPDATE grants SET post_id = locked.post_id FROM locked WHERE grants.ref = locked.ref
""",
)

_LOOK = Statement(
    "look_at_grant",
    """
SELECT kind, action, payload, channel_id, users, uses,
  CASE choice WHEN ref THEN '' ELSE choice END,
  extract(epoch FROM expires_at - made_at)::float8, options, post_id,
  CASE WHEN uses IS NOT NULL THEN greatest(uses - used, 0) END,
  expires_at <= clock_timestamp()
FROM grants WHERE ref = %(ref)s
""",
)
_LOCK = Statement(
    "lock_choice",
    """
SELECT ref FROM grants WHERE choice = (SELECT choice FROM grants WHERE ref = %(ref)s)
ORDER BY ref FOR UPDATE
""",
)
_TAKE = Statement(
    "take_grant",
    """
WITH noted AS (
  SELECT FROM grant_uses WHERE ref = %(ref)s AND event_id = %(event_id)s
), pressed AS (
  SELECT ref, choice, uses FROM grants
  WHERE ref = %(ref)s AND (uses IS NULL OR used < uses)
    AND expires_at > clock_timestamp() AND NOT EXISTS (SELECT FROM noted)
), taken AS (
  INSERT INTO grant_uses (ref, event_id) SELECT ref, %(event_id)s FROM pressed
  RETURNING ref
), counted AS (
  UPDATE grants SET used = used + 1 FROM pressed
  WHERE grants.choice = pressed.choice AND pressed.uses IS NOT NULL
  RETURNING grants.ref
)
SELECT EXISTS (SELECT FROM noted) OR EXISTS (SELECT FROM taken)
""",
)


class DatabaseGrants:
    """Implements ports.Grants."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def look(self, ref: str) -> Granted | None:
        if not _REF.fullmatch(ref):
            return None
        rows = self._database.at_once([_LOOK], {"ref": ref})
        return _granted(ref, *rows[0]) if rows else None

    def take(self, ref: str, *, event_id: str) -> bool:
        if not _REF.fullmatch(ref):
            return False
        terms = {"ref": ref, "event_id": event_id}
        ((is_taken,),) = self._database.at_once([_LOCK, _TAKE], terms)
        return bool(is_taken)


def made(grants: Sequence[Grant], *, caused_by: str) -> Mapping[str, object]:
    """The terms of MAKE; raises Unstorable for what nobody can keep."""
    return {"grants": to_json([_row(each) for each in grants]), "caused_by": caused_by}


def given_back(writes: Sequence[GiveBack]) -> Mapping[str, object]:
    """The terms of LOCK_GIVEN_BACK and GIVE_BACK."""
    return {"given_back": to_json([write._asdict() for write in writes])}


def known(writes: Sequence[PostKnown]) -> Mapping[str, object]:
    """The terms of KNOW_POSTS."""
    posts = {ref: write.post_id for write in writes for ref in write.refs}
    rows = [{"ref": ref, "post_id": post_id} for ref, post_id in posts.items()]
    return {"known": to_json(rows)}


def _row(grant: Grant) -> dict[str, object]:
    if not math.isfinite(grant.expires_s):
        raise Unstorable(f"what can be pressed cannot last for {grant.expires_s} s")
    return {
        **grant._asdict(),
        "payload": to_json(grant.payload),
        "users": [str(user) for user in grant.users],
        "options": list(grant.options),
        "choice": grant.choice or grant.ref,
    }


def _granted(ref: str, kind: Any, action: str, payload: Any, *rest: Any) -> Granted:
    channel_id, users, uses, choice, expires_s, options, *now = rest
    post_id, uses_left, is_expired = now
    grant = Grant(
        ref=ref,
        kind=kind,
        action=action,
        payload=payload,
        channel_id=channel_id,
        users=tuple(users),
        uses=uses,
        choice=choice,
        expires_s=expires_s,
        options=tuple(options),
    )
    return Granted(grant, post_id, uses_left, is_expired)
