"""The whole way: a message is posted, comes back by the websocket, and is deleted."""

from __future__ import annotations

import time
from uuid import uuid4

from malexbot.cli.doctor.checks import Check, Verdict, fault, ok
from malexbot.cli.doctor.remedies import gist
from malexbot.cli.doctor.visit import Visit
from malexbot.cli.doctor.websocket import UPGRADE, opened, wait_for
from malexbot.errors import Uncertain
from malexbot.messengers.mattermost.client import Json
from malexbot.messengers.mattermost.failures import Failure, Forbidden, Missing
from malexbot.messengers.mattermost.rooms import DIRECT_TYPES, EVERY

TEXT = "malexbot doctor: a test message, which goes away by itself"
# An event follows its post at once.
ARRIVES_S = 3.0
# Two calls that take as long as they may, and both events late.
LIMIT_S = 16.0


def check(visit: Visit, wanted: str) -> Check:
    """`wanted` is an id or team/channel; else the settings name one, or the first."""
    return visit.check(
        "send",
        lambda at: _send(at, wanted),
        needs=("websocket", "teams"),
        limit_s=LIMIT_S,
        is_whole=True,
    )


def _send(visit: Visit, wanted: str) -> Verdict:
    name = wanted or visit.settings.test_channel_id or _first(visit)
    if not name:
        return fault(
            f"{visit.bot} is in no channel to post into",
            f"/invite {visit.bot} in one, or name one with --channel",
        )
    try:
        channel = _found(visit, name)
    except Failure as error:
        return fault(
            f"{name}: {gist(error)}",
            f"name a channel that {visit.bot} is in: --channel with its id, or as"
            " team/channel",
        )
    return _there_and_back(visit, name, str(channel["id"]))


def _there_and_back(visit: Visit, name: str, channel_id: str) -> Verdict:
    with opened(visit) as line:
        began = time.monotonic()
        try:
            post = visit.client.create_post(
                channel_id, TEXT, pending_post_id=f"doctor:{uuid4().hex}"
            )
        except Uncertain:
            return fault(
                f"the server did not say whether it posted into {name}",
                f"look there, and delete what stands there: {TEXT}",
            )
        except Failure as error:
            return fault(
                f"cannot post into {name}: {gist(error)}", _post_cure(visit, error)
            )
        post_id = str(post["id"])
        try:
            has_come = wait_for(line, "posted", post_id, seconds=ARRIVES_S)
            took_ms = (time.monotonic() - began) * 1000
        finally:
            trouble = _delete(visit, post_id)
        is_gone = not trouble and wait_for(
            line, "post_deleted", post_id, seconds=ARRIVES_S
        )
    if trouble:
        return fault(
            f"posted into {name}, and cannot delete it again: {trouble}",
            f"delete it by hand: {visit.site}/_redirect/pl/{post_id}",
        )
    if not (has_come and is_gone):
        return fault(
            f"posted into {name} and deleted again, but the websocket did not tell",
            f"is a proxy holding events back? {UPGRADE}",
        )
    return ok(f"posted into {name}, heard after {took_ms:.0f} ms, deleted again")


def _delete(visit: Visit, post_id: str) -> str:
    """Why it is still there; "" when it is gone."""
    try:
        visit.client.delete_post(post_id)
    except Failure as error:
        return gist(error)
    return ""


def _post_cure(visit: Visit, error: Failure) -> str:
    if isinstance(error, (Forbidden, Missing)):
        return (
            f"/invite {visit.bot} there; if only some may post: System Console > User"
            " Management > Channels > (the channel) > Create Posts"
        )
    return visit.remedy(error)


def _first(visit: Visit) -> str:
    """The first channel that is listened to, and that is no conversation."""
    for name in visit.settings.listen_channels:
        if name != EVERY:
            return name
    for news in visit.channels:
        if news.type not in DIRECT_TYPES:
            return f"{visit.teams[news.team_id]}/{news.name}"
    return ""


def _found(visit: Visit, name: str) -> Json:
    team, is_path, channel = name.partition("/")
    if is_path:
        return visit.client.channel_by_name(team, channel)
    return visit.client.channel(name)
