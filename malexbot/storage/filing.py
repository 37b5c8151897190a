"""Sees to it that files are fetched, a few at a time, and cleared away in the end.

What is to be fetched stands in `files`; a few of them at a time are jobs. So a long
list holds up nobody, the newest post's files come first, and what fails waits there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from malexbot.errors import Transient
from malexbot.ports.files import Unwritable
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.health import Health
from malexbot.runtime.heart import outside
from malexbot.runtime.stop import Stop
from malexbot.storage.clearing import clear, clear_parts, release_strays
from malexbot.storage.contents import Contents
from malexbot.storage.database import Database
from malexbot.storage.files import note_files

log = logging.getLogger(__name__)

PART = "files"
SOURCE = "mattermost"
# How often it looks at all of it; who wakes it meanwhile wants files to be fetched.
LOOK_S = 10.0
# Between two pieces of a long work that nobody waits for.
REST_S = 0.5
# So many posts of before are looked through in a piece, and so many contents.
PIECE = 1000

_PLAN = """
WITH busy AS (
  SELECT count(*) AS jobs FROM files JOIN jobs ON jobs.id = files.job_id
  WHERE files.state = 'fetching' AND jobs.finished_at IS NULL
), next AS (
  SELECT post_id, id, size, 'file:' || post_id || ':' || id AS lane FROM files
  WHERE state IN ('waiting', 'closed') AND due_at <= clock_timestamp()
    AND size <= %(largest)s
  ORDER BY due_at DESC
  LIMIT (SELECT greatest(0, %(side_by_side)s - jobs) FROM busy)
  FOR UPDATE SKIP LOCKED
), made AS (
  INSERT INTO jobs (kind, name, lane, payload)
  SELECT 'file', %(source)s, lane,
    json_build_object('post_id', post_id, 'id', id, 'size', size)
  FROM next
  RETURNING id, lane
)
UPDATE files SET state = 'fetching', job_id = made.id
FROM next JOIN made USING (lane)
WHERE files.post_id = next.post_id AND files.id = next.id
RETURNING made.lane
"""
# A dead job waits for a person. Of a dropped one a person wants no more; what else has
# ended without a word, or is forgotten, is tried again.
_RECONCILE = """
UPDATE files SET job_id = NULL, due_at = clock_timestamp() + interval '1 hour',
  state = CASE WHEN found.state = 'dropped' THEN 'gone' ELSE 'waiting' END,
  reason = CASE WHEN found.state = 'dropped' THEN 'dropped by hand' ELSE reason END
FROM (
  SELECT post_id, files.id, jobs.state
  FROM files LEFT JOIN jobs ON jobs.id = job_id
  WHERE files.state = 'fetching'
    AND (jobs.id IS NULL OR jobs.state IN ('done', 'dropped', 'expired'))
) found
WHERE files.post_id = found.post_id AND files.id = found.id
  AND files.state = 'fetching'
"""
_WAITING = """
SELECT count(*) FROM files
WHERE state IN ('waiting', 'fetching') AND size <= %(largest)s
"""
_NEXT_POSTS = """
SELECT channel_id, create_at, id FROM posts
WHERE (channel_id, create_at, id) > (
  SELECT after_channel, after_at, after_id FROM unfiled
)
ORDER BY channel_id, create_at, id LIMIT %s
"""
_WENT_ON = "UPDATE unfiled SET (after_channel, after_at, after_id) = (%s, %s, %s)"
_ALL_FILED = "DELETE FROM unfiled"
_KEPT = """
SELECT sha256, size FROM contents
WHERE place = %(place)s AND released_at IS NULL AND sha256 > %(after)s
ORDER BY sha256 LIMIT %(piece)s
"""
_LOST = """
WITH lost AS (
  DELETE FROM contents WHERE place = %(place)s AND sha256 = ANY (%(lost)s)
)
UPDATE files SET state = 'waiting', reason = 'its content was not there any more',
  sha256 = (
    SELECT c.sha256 FROM contents c
    WHERE c.sha256 = files.sha256 AND c.place <> %(place)s LIMIT 1
  )
WHERE sha256 = ANY (%(lost)s)
"""
# This machine has taken over, or an old backup was restored on it.
_ELSEWHERE = """
UPDATE files SET state = 'waiting'
FROM (
  SELECT post_id, id FROM files kept WHERE state = 'kept' AND NOT EXISTS (
    SELECT FROM contents c WHERE c.sha256 = kept.sha256 AND c.place = %(place)s
  ) LIMIT %(piece)s
) missing
WHERE files.post_id = missing.post_id AND files.id = missing.id
"""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the settings say of files."""

    keeps: bool
    largest: int


class Filing:
    """A service; what it makes jobs of is fetched by the lanes."""

    name = PART
    is_vital = False

    def __init__(
        self,
        database: Database,
        contents: Contents,
        *,
        epoch: Callable[[], int],
        wishes: Wishes,
        health: Health,
        side_by_side: int,
    ) -> None:
        self._database = database
        self._contents = contents
        self._epoch = epoch
        self.wishes = wishes
        self._health = health
        self._side_by_side = side_by_side
        self._woken = threading.Event()
        self._next_look = Deadline(0)
        self._is_told = False
        self._place: str | None = None
        # Up to which content it was seen that they are there; None: all were.
        self._seen: str | None = ""
        # Yes: what other machines keep is fetched too.
        self._is_complete = False
        self.on_jobs: Callable[[Sequence[str]], object] = lambda lanes: None
        """Is told the lanes of the jobs that were made."""
        self.on_end: Callable[[], object] = lambda: None

    def wake(self) -> None:
        """There may be a file to be fetched, or room for one."""
        self._woken.set()

    def adopt(self, wishes: Wishes) -> None:
        """Other settings; they count at once."""
        self.wishes = wishes
        self._next_look = Deadline(0)
        self.wake()

    def run(self, stop: Stop) -> None:
        try:
            with stop.waking(self.wake):
                while True:
                    # Before it is looked whether to stop: who stops us wakes us.
                    self._woken.clear()
                    if stop.is_set:
                        return
                    has_more = self._turn()
                    wait_s = REST_S if has_more else self._next_look.left_s
                    with outside("the next file"):
                        self._woken.wait(wait_s)
        finally:
            if stop.is_set:
                self.on_end()

    def _turn(self) -> bool:
        """Yes: there is more that nobody waits for."""
        has_more = False
        try:
            if self._next_look.is_over:
                self._next_look = Deadline(LOOK_S)
                self.look()
            has_more = self.go_on()
            if self.wishes.keeps:
                self._contents.check()
                self.plan()
        except Unwritable as error:
            if self._health.parts().get(PART) != str(error):
                log.warning("files: %s; it is tried again until it works", error)
            self._health.tell(PART, str(error), is_ready=False)
        except Transient as error:
            level = logging.DEBUG if self._is_told else logging.INFO
            log.log(level, "files: not now: %s", error)
            self._is_told = True
        else:
            self._is_told = False
        return has_more

    def look(self) -> None:
        """Clear away what is of no use, find what was cut off, and tell how it is."""
        if self.wishes.keeps:
            self._place = self._contents.make()
        else:
            self._place = self._contents.place
        clear(self._database, self._contents)
        clear_parts(self._database, self._contents)
        with self._database.fenced_transaction(self._epoch()) as cursor:
            cursor.execute(_RECONCILE)
        if self.wishes.keeps:
            self._contents.check()
        self._tell()

    def go_on(self) -> bool:
        """A piece of what takes long and nobody waits for; yes: there is more."""
        has_unfiled = self._file_piece()
        if self._place and self._seen is not None:
            self._seen = self._look_for_lost(self._place, self._seen)
            if self._seen is None:
                release_strays(self._database)
        elif self._place and self.wishes.keeps and not self._is_complete:
            self._is_complete = not self._fetch_from_elsewhere(self._place)
        else:
            return has_unfiled
        return True

    def plan(self) -> int:
        """Make jobs of the newest that wait, as far as there is room."""
        terms = {
            "largest": self.wishes.largest,
            "side_by_side": self._side_by_side,
            "source": SOURCE,
        }
        with self._database.fenced_transaction(self._epoch()) as cursor:
            cursor.execute(_PLAN, terms)
            lanes = [lane for (lane,) in cursor.fetchall()]
        if lanes:
            self.on_jobs(lanes)
        return len(lanes)

    def _file_piece(self) -> bool:
        """Look through the next posts of before; no: there are none any more."""
        with self._database.fenced_transaction(self._epoch()) as cursor:
            cursor.execute("SELECT FROM unfiled")
            if cursor.rowcount == 0:
                return False
            cursor.execute(_NEXT_POSTS, (PIECE,))
            rows = cursor.fetchall()
            if not rows:
                cursor.execute(_ALL_FILED)
                return False
            note_files(cursor, [id_ for _, _, id_ in rows])
            cursor.execute(_WENT_ON, rows[-1])
        return True

    def _look_for_lost(self, place: str, after: str) -> str | None:
        """Whether what is kept is still there: the disk may be another one now.

        Returns up to which content that is known; None: of all.
        """
        terms = {"place": place, "after": after, "piece": PIECE}
        with self._database.transaction() as cursor:
            cursor.execute(_KEPT, terms)
            kept = cursor.fetchall()
        lost = [sha256 for sha256, size in kept if not self._contents.has(sha256, size)]
        if lost:
            log.warning(
                "files: %d that were kept are not there: fetched anew", len(lost)
            )
            with self._database.fenced_transaction(self._epoch()) as cursor:
                cursor.execute(_LOST, {"place": place, "lost": lost})
        return kept[-1][0] if kept else None

    def _fetch_from_elsewhere(self, place: str) -> int:
        """What another machine keeps is kept here too; returns how many that are."""
        with self._database.fenced_transaction(self._epoch()) as cursor:
            cursor.execute(_ELSEWHERE, {"place": place, "piece": PIECE})
            return cursor.rowcount

    def _tell(self) -> None:
        if not self.wishes.keeps:
            self._health.forget(PART)
            return
        with self._database.transaction() as cursor:
            cursor.execute(_WAITING, {"largest": self.wishes.largest})
            (waiting,) = cursor.fetchone() or (0,)
        told = f"{waiting:,} to fetch" if waiting else "none to fetch"
        self._health.tell(PART, told, is_ready=True)
