"""What a handler may look at: its plugin's store, the archive, who somebody is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from malexbot.events import Id
from malexbot.pipeline.phrases import ENGLISH
from malexbot.pipeline.shelf import NoStore
from malexbot.ports import Found, Store

# So many of the best matches are looked at, in each of so many rounds; and the server
# is asked about so many channels: somebody waits for the answer.
LOOKED_AT = 200
ROUNDS = 5
MOST_ASKED = 100


class Find(Protocol):
    """Whom the archive is shown to sees only what is shown to him elsewhere too."""

    def __call__(
        self, user: Id, words: str, *, most: int, skip: int
    ) -> Sequence[Found]:
        """What this user may read that has these words: so many, after so many."""
        ...


def _find_nothing(user: Id, words: str, *, most: int, skip: int) -> Sequence[Found]:
    return ()


def english(user: Id) -> str:
    return ENGLISH


class Sight(NamedTuple):
    """Each of it raises Transient when it cannot tell."""

    store: Store = NoStore()
    find: Find = _find_nothing
    locale: Callable[[Id], str] = english


class Matching(Protocol):
    """A search through the whole archive."""

    def __call__(
        self, words: str, *, without: Collection[str], most: int
    ) -> Sequence[Found]:
        """The best matches first, of all channels but these."""
        ...


class PersonsSearch:
    """Shows a person the posts of those channels only that he is a member of, now.

    The server is asked for the channels of what was found, best first; those that are
    not his are left out of the next round, so they do not hide what is.
    """

    def __init__(
        self, *, match: Matching, is_member: Callable[[str, str], bool]
    ) -> None:
        """`is_member`: of this user and this channel, in that order."""
        self._match = match
        self._is_member = is_member

    def __call__(
        self, user: Id, words: str, *, most: int, skip: int
    ) -> Sequence[Found]:
        is_his: dict[str, bool] = {}
        allowed: list[Found] = []
        for _ in range(ROUNDS):
            foreign = [channel for channel, is_one in is_his.items() if not is_one]
            matches = self._match(words, without=foreign, most=LOOKED_AT)
            shown = self._allowed(str(user), matches, is_his)
            allowed = list(islice(shown, skip + most))
            is_new = sum(is_his.values()) + len(foreign) < len(is_his)
            if len(allowed) == skip + most or not is_new or len(matches) < LOOKED_AT:
                break
        return allowed[skip:]

    def _allowed(
        self, user: str, matches: Sequence[Found], is_his: dict[str, bool]
    ) -> Iterator[Found]:
        """Those that he may read, as far as it is known or may be asked."""
        for found in matches:
            channel_id = found.channel_id
            if channel_id not in is_his:
                if len(is_his) >= MOST_ASKED:
                    return
                is_his[channel_id] = self._is_member(user, channel_id)
            if is_his[channel_id]:
                yield found
