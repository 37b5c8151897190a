"""Which channels are listened to: the bot's channels that fit `listen_channels`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from malexbot.messengers.mattermost.borders import Room
from malexbot.messengers.mattermost.walks import SOURCE
from malexbot.ports import Bookmark, Bookmarks, ChannelNews

log = logging.getLogger(__name__)

EVERY = "*"
DIRECT_TYPES = ("D", "G")
NO_ACCESS = "access"
END_OF_TIME = 2**53

# Told which channels are listened to, and which are conversations with the bot; None
# before the server has shown those.
Publish = Callable[[frozenset[str], frozenset[str] | None], None]


class Directory(Protocol):
    """The teams and channels that the bot is in."""

    def teams(self) -> Mapping[str, str]:
        """The names of the teams, as they stand in addresses, by their ids."""
        ...

    def channels(self, teams: Mapping[str, str]) -> Sequence[ChannelNews]:
        """Each channel once, though direct ones belong to every team."""
        ...


class Listed:
    """`listen_channels`: ids, `team/channel`, or "*" for every one of the bot."""

    def __init__(self, names: Sequence[str], *, with_direct: bool = False) -> None:
        self._ids = frozenset(name for name in names if "/" not in name)
        self._paths = frozenset(name.lower() for name in names if "/" in name)
        self._with_direct = with_direct

    def fits(self, news: ChannelNews, teams: Mapping[str, str]) -> bool:
        """Yes: listen to it. Direct ones go with "*" only if they are archived."""
        path = f"{teams.get(news.team_id, '')}/{news.name}".lower()
        if news.channel_id in self._ids or path in self._paths:
            return True
        is_direct = news.type in DIRECT_TYPES
        return EVERY in self._ids and (self._with_direct or not is_direct)

    def may_fit(self, mark: Bookmark, teams: Mapping[str, str]) -> bool:
        """Whether a channel that the server does not list now is one of ours.

        A team that is not listed either has the name of before. Of one that is not
        known, any one may be meant.
        """
        if mark.team_id in teams or mark.team or mark.type in DIRECT_TYPES:
            return self.fits(_unlisted(mark), {mark.team_id: mark.team, **teams})
        name = mark.name.lower()
        is_named = bool(name) and any(p.endswith(f"/{name}") for p in self._paths)
        return is_named or bool({EVERY, mark.channel_id} & self._ids)

    def without(
        self, found: Sequence[ChannelNews], teams: Mapping[str, str]
    ) -> frozenset[str]:
        """The names in it that no channel has."""
        ids = {news.channel_id for news in found}
        paths = {f"{teams.get(news.team_id, '')}/{news.name}".lower() for news in found}
        return (self._ids - ids - {EVERY}) | (self._paths - paths)


class View(NamedTuple):
    """What one look at the list of channels found."""

    rooms: Sequence[Room]
    gone: Sequence[Room]
    """Not listed any more; an archived one can still be read to its end."""
    stale: Sequence[Room]
    """Left, or came back, while the connection lasted that they are filled for.

    Live posts would raise their marks although those in between are missing, so
    they are not listened to before there is a new connection number.
    """


class Rooms:
    """Looks at the list of channels, and tells who listens which of them count.

    All but `listened` belongs to the backfill's own thread.
    """

    def __init__(
        self,
        *,
        directory: Directory,
        bookmarks: Bookmarks,
        listed: Listed,
        publish: Publish,
        now_ms: Callable[[], int],
    ) -> None:
        self._directory = directory
        self._bookmarks = bookmarks
        self.listed = listed
        """May be replaced by any thread; the next look goes by the new one."""
        self._publish = publish
        self._now_ms = now_ms
        self.listened: frozenset[str] = frozenset()
        """The ids of the channels that count now."""
        self._direct: frozenset[str] | None = None
        self._noted: dict[str, ChannelNews] = {}
        self._joined_at: dict[str, int] = {}
        self._lost: set[str] = set()
        self._proven: set[str] = set()
        self._unknown: frozenset[str] = frozenset()
        self._renamed: set[str] = set()

    def remember(self) -> None:
        """Listen to what was listened to before, until the server has been asked."""
        known = self._bookmarks.channels(SOURCE).values()
        ours = {mark.channel_id for mark in known if self.listed.may_fit(mark, {})}
        self._listen(frozenset(ours), None)

    def look(self, number: int) -> View:
        """Ask the server; from now on the channels that it shows are listened to."""
        before = self.listened
        marks = self._bookmarks.channels(SOURCE)
        teams = self._directory.teams()
        listing = self._directory.channels(teams)
        known = [self._as_known(news, marks, teams) for news in listing]
        found = [news for news in known if self.listed.fits(news, teams)]
        self._tell_unknown(found, teams)
        self._note(found)
        rooms = [self._room(news, marks, before) for news in found]
        listed = {news.channel_id for news in listing}
        gone = [
            Room(_unlisted(mark), mark)
            for channel_id, mark in marks.items()
            if channel_id not in listed | self._lost
            and self.listed.may_fit(mark, teams)
        ]
        stale = [room for room in rooms if room.is_fresh and _is_filled(room, number)]
        stale += [room for room in gone if _is_filled(room, number)]
        view = View(_without(rooms, stale), _without(gone, stale), stale)
        direct = {news.channel_id for news in listing if news.type in DIRECT_TYPES}
        ours = {room.id for room in (*view.rooms, *view.gone)}
        self._listen(frozenset(ours), frozenset(direct))
        return view

    def lose(self, room: Room, reason: str) -> None:
        """It cannot be read any more; its gap stays open. Told once."""
        if room.id in self._lost:
            return
        self._lost.add(room.id)
        self._proven.discard(room.id)
        self._bookmarks.open_gap(SOURCE, room.id, NO_ACCESS, f"no access: {reason}")
        self._note([replace(room.news, is_accessible=False)])
        log.warning("channel %s (%s): no access: %s", room.name, room.id, reason)

    def regain(self, rooms: Sequence[Room]) -> None:
        """They could be read: their gaps, of earlier processes too, are closed."""
        for room in rooms:
            if room.id in self._lost:
                self._lost.discard(room.id)
                log.info("channel %s (%s) can be read again", room.name, room.id)
        proven = [room.id for room in rooms if room.id not in self._proven]
        if proven:
            self._bookmarks.close_gaps(SOURCE, proven, NO_ACCESS)
            self._proven.update(proven)

    def _as_known(
        self,
        news: ChannelNews,
        marks: Mapping[str, Bookmark],
        teams: Mapping[str, str],
    ) -> ChannelNews:
        """A channel that was named anew is listened to by the name in the config."""
        mark = marks.get(news.channel_id)
        if mark is None or mark.name == news.name or self.listed.fits(news, teams):
            return news
        known = replace(news, name=mark.name)
        if not self.listed.fits(known, teams):
            return news
        if news.channel_id not in self._renamed:
            self._renamed.add(news.channel_id)
            log.warning(
                "channel %s (%s) is called %s now; listen_channels has the old name",
                mark.name,
                mark.channel_id,
                news.name,
            )
        return known

    def _room(
        self, news: ChannelNews, marks: Mapping[str, Bookmark], before: frozenset[str]
    ) -> Room:
        is_fresh = news.channel_id not in before
        joined_at = self._joined_at.get(news.channel_id, 0)
        if is_fresh:
            joined_at = self._joined_at[news.channel_id] = self._now_ms()
        bookmark = marks.get(news.channel_id) or _blank(news)
        return Room(news, bookmark, is_fresh, joined_at)

    def _listen(self, ids: frozenset[str], direct: frozenset[str] | None) -> None:
        """Whoever reads it sees the old state or the new one."""
        if ids != self.listened or direct != self._direct:
            self.listened, self._direct = ids, direct
            self._publish(ids, direct)

    def _note(self, found: Sequence[ChannelNews]) -> None:
        """Remember names and access where they changed; a rename tells itself so."""
        named = [replace(news, messages=0, last_post_at=0) for news in found]
        changed = [news for news in named if self._noted.get(news.channel_id) != news]
        if changed:
            self._bookmarks.note(SOURCE, changed)
            self._noted.update({news.channel_id: news for news in changed})

    def _tell_unknown(
        self, found: Sequence[ChannelNews], teams: Mapping[str, str]
    ) -> None:
        unknown = self.listed.without(found, teams)
        for name in sorted(unknown - self._unknown):
            log.warning("listen_channels: the bot is in no channel %s", name)
        self._unknown = unknown


def _is_filled(room: Room, number: int) -> bool:
    """Yes: live posts of this connection raise its mark."""
    return number > 0 and room.bookmark.filled_for == number


def _without(rooms: Sequence[Room], left_out: Sequence[Room]) -> list[Room]:
    return [room for room in rooms if room not in left_out]


def _unlisted(mark: Bookmark) -> ChannelNews:
    """News that never look like those of the last look."""
    return ChannelNews(
        channel_id=mark.channel_id,
        team_id=mark.team_id,
        type=mark.type,
        name=mark.name,
        display_name="",
        messages=-1,
        last_post_at=END_OF_TIME,
    )


def _blank(news: ChannelNews) -> Bookmark:
    return Bookmark(
        channel_id=news.channel_id,
        name=news.name,
        mark_id="",
        mark_at=0,
        filled_for=0,
        history_id="",
        is_history_done=False,
        edits_until=0,
        edits_walk_id="",
        messages=0,
        last_post_at=0,
    )
