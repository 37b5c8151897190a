"""Who we are to the server, and where it lets us in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from malexbot.cli.doctor.checks import Check, Verdict, advice, fault, ok
from malexbot.cli.doctor.visit import BOT_ACCOUNTS, Visit
from malexbot.cli.findings import MOST_NAMED
from malexbot.messengers.mattermost.failures import (
    Missing,
    Rejected,
    Unauthorised,
)
from malexbot.messengers.mattermost.reading import news_of
from malexbot.messengers.mattermost.rooms import EVERY, Listed
from malexbot.ports import ChannelNews

_TOKEN = re.compile("[a-z0-9]{26}")
_MAKE_BOTS = f"System Console > {BOT_ACCOUNTS} > Enable Bot Account Creation"
_ADMIN = "system_admin"


def identity(visit: Visit) -> Sequence[Check]:
    return (
        visit.check("token", _token, needs=("server",), lack="the token is refused"),
        visit.check("bot", _bot, needs=("token",)),
    )


def places(visit: Visit) -> Sequence[Check]:
    return (
        visit.check("teams", _teams, needs=("token",), lack="the bot is in no team"),
        visit.check("channels", lambda at: list(_channels(at)), needs=("teams",)),
    )


# Who we are.


def _token(visit: Visit) -> Verdict:
    try:
        visit.me = visit.client.me()
        visit.told = visit.client.client_config()
    except Unauthorised as error:
        if not error.is_session_expired:
            raise
        return _refused(visit)
    return ok(f"of {visit.bot}")


def _refused(visit: Visit) -> Verdict:
    """The server tells no more than that: of all of these it says the same."""
    place, bots = visit.token_place, f"in Mattermost, {BOT_ACCOUNTS}"
    if visit.told.get("EnableBotAccountCreation") == "false":
        bots += f" (it is hidden: {_MAKE_BOTS})"
    if not _TOKEN.fullmatch(visit.settings.token.get_secret_value()):
        return fault(
            "refused, and it does not look like a token: those have 26 small letters"
            " and digits",
            f"{bots}: Create New Token, and copy it whole to {place}",
        )
    return fault(
        "refused: it is wrong, it was revoked, or the bot is disabled",
        f"{bots}: enable the bot, or Create New Token and write that to {place}",
    )


def _bot(visit: Visit) -> Verdict:
    me, wanted = visit.me, visit.settings.id
    if not me.get("is_bot"):
        return fault(
            f"the token is of {visit.bot}, who is a person and not a bot",
            f"in Mattermost, {BOT_ACCOUNTS} > Add Bot Account (if it is not there:"
            f" {_MAKE_BOTS}), and its token to {visit.token_place}",
        )
    if wanted and wanted not in (me.get("username"), me.get("id")):
        return fault(
            f"the token is of {visit.bot}, mattermost.id says {wanted}",
            f"write the token of {wanted} to {visit.token_place}, or take mattermost.id"
            " out",
        )
    if _ADMIN in str(me.get("roles", "")).split():
        return advice(
            f"{visit.bot} is a system admin, which is more than malexbot needs",
            f"in Mattermost, {BOT_ACCOUNTS} > {visit.bot} > Edit > Role: Member",
        )
    return ok(f"{visit.bot} is a bot")


# Where we are.


def _teams(visit: Visit) -> Verdict:
    visit.teams = {team["id"]: team["name"] for team in visit.client.teams()}
    if not visit.teams:
        return fault(
            f"{visit.bot} is in no team",
            "in the team's menu: Invite People; or System Console > User Management >"
            " Teams > (the team) > Add Members",
        )
    return ok(_few(sorted(visit.teams.values())))


def _channels(visit: Visit) -> Iterator[Verdict]:
    visit.channels = _all_of(visit)
    names = visit.settings.listen_channels
    if not names:
        yield advice(
            "none is listened to: mattermost.listen_channels is empty",
            'write ["*"] there, or ids, or team/channel',
        )
        return
    is_direct = visit.settings.direct == "archive"
    listed = Listed(names, with_direct=is_direct)
    found = [news for news in visit.channels if listed.fits(news, visit.teams)]
    missing = sorted(listed.without(found, visit.teams))
    for name in missing[:MOST_NAMED]:
        yield _missing(visit, name)
    if more := len(missing) - MOST_NAMED:
        if more > 0:
            yield fault(f"and {more} more are missing", "the same for these")
    if EVERY in names and not found:
        yield fault(
            f"{visit.bot} is in no channel",
            f"/invite {visit.bot} in each channel that it is to listen to",
        )
    if found:
        known = len(visit.channels)
        yield ok(f"listens to {len(found)} of the {known} that {visit.bot} is in")


def _all_of(visit: Visit) -> list[ChannelNews]:
    listing = {}
    for team_id in visit.teams:
        for channel in visit.client.channels(team_id):
            if not channel.get("delete_at"):
                listing[channel["id"]] = news_of(channel)
    return list(listing.values())


def _missing(visit: Visit, name: str) -> Verdict:
    """Why the bot is not in a channel that it is to listen to."""
    team, is_path, _ = name.partition("/")
    teams = {known.lower() for known in visit.teams.values()}
    if is_path and team not in teams:
        return fault(
            f"{name}: {visit.bot} is not in the team {team}",
            f"in the menu of {team}: Invite People; then /invite {visit.bot} in the"
            " channel",
        )
    off = "or take it off mattermost.listen_channels"
    try:
        channel = _look_up(visit, name)
    except Missing:
        return fault(
            f"{name}: there is no such channel, or it is private and {visit.bot} is"
            " not in it",
            f"/invite {visit.bot} there, {off}",
        )
    except Rejected:
        return fault(
            f"{name}: it is private and {visit.bot} is not in it, or it does not exist",
            f"/invite {visit.bot} there, {off}",
        )
    if channel.get("delete_at"):
        return fault(
            f"{name} is archived",
            f"Unarchive Channel in its menu, {off}",
        )
    return fault(
        f"{name}: {visit.bot} is not in it", f"/invite {visit.bot} there, {off}"
    )


def _look_up(visit: Visit, name: str) -> dict[str, object]:
    team, is_path, channel = name.partition("/")
    if is_path:
        return visit.client.channel_by_name(team, channel)
    return visit.client.channel(name)


def _few(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    told = ", ".join(names[:MOST_NAMED])
    return f"{told} and {more} more" if more > 0 else told
