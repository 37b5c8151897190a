"""Cuts streams: what everybody has done, and in need what nobody had the time for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from malexbot.consumers.line import asking
from malexbot.consumers.survey import StreamState, Survey, moment

# What all have done stays so long all the same, for those who look.
KEPT_S = 600.0
# Unless a stream holds this share of its most.
FULL_SOON = 0.8
# So many keys are named in one go.
STEP = 1000


class Cut(NamedTuple):
    """What became of one stream."""

    state: StreamState
    """As it was before."""
    left: int
    """How many entries it holds now."""
    is_filling: bool = False
    """Yes: what somebody has not done nears the bound, or has met it."""
    lost: int = 0
    """How many entries are gone that somebody had not done."""
    losers: Sequence[str] = ()
    """The groups that had not."""


class Shears(Survey):
    """A survey that cuts, too."""

    def trim(self, stream: str, *, most: int, kept_s: float = KEPT_S) -> Cut | None:
        """Afterwards it holds hardly more than `most` entries; 0 sets no bound.

        It may be read meanwhile: a group goes on, and never back. None: there is no
        such stream.
        """
        with asking():
            if not self._client.exists(stream):
                return None
            state = self.state(stream)
            if not state.groups:
                return Cut(state, state.entries - self._cut_to(stream, most))
            done = min((group.done_before for group in state.groups), key=moment)
            self._cut_before(stream, min(done, self._past(kept_s), key=moment))
            left = int(self._client.xlen(stream))
            if not most or left < most * FULL_SOON:
                return Cut(state, left)
            self._cut_before(stream, done, is_exact=True)
            lost = self._cut_to(stream, most)
            left = int(self._client.xlen(stream))
            first = self._first(stream, "-") or done
        late = [g.name for g in state.groups if moment(g.done_before) < moment(first)]
        is_filling = left >= most * FULL_SOON
        return Cut(state, left, is_filling, lost, late if lost else ())

    def forget(self, keys: Iterable[str]) -> None:
        """These are of no use any more."""
        left = [*keys]
        with asking():
            while left:
                some, left = left[:STEP], left[STEP:]
                self._client.unlink(*some)

    def _cut_before(self, stream: str, id: str, *, is_exact: bool = False) -> None:
        """Whole blocks of entries only, if it need not be exact; that costs nothing."""
        while self._client.xtrim(stream, minid=id, approximate=not is_exact):
            pass

    def _cut_to(self, stream: str, most: int) -> int:
        """How many are gone; a block more may be left."""
        lost = 0
        while most and (cut := int(self._client.xtrim(stream, maxlen=most))):
            lost += cut
        return lost

    def _past(self, seconds: float) -> str:
        """The id of what came in so long ago, by the clock that makes ids."""
        now_s, micros = self._client.time()
        return f"{max(0, round((now_s - seconds) * 1000 + micros / 1000))}-0"
