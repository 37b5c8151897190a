"""search: how long a question takes, as the archive grows, beside a plain ILIKE.

The questions are what people type: common words and rare ones, several, phrases, what
is left out, beginnings, one channel, one person, the last month; in two languages.
ILIKE is asked for single words, and told to bring the newest ones: it knows no forms,
no order of words and no rank.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from malexbot.storage.database import Database
from malexbot.storage.indexing import Indexing
from malexbot.storage.leadership import Leadership
from malexbot.storage.query import Question
from malexbot.storage.search import Search
from tests.bench.figures import Figure, Goal, percentile
from tests.bench.stage import Scale, Stage
from tests.support.archive_of import END, ENGLISH, RUSSIAN, fill

GOAL_MS = Goal(50.0)
SIZES = (10_000, 100_000, 1_000_000)
QUICK = (2_000,)
QUESTIONS = 100
LIKES = 10
MONTH_MS = 30 * 86_400_000

_SOME = "SELECT id, message, channel_id, user_id FROM posts ORDER BY md5(id) LIMIT %s"
_LIKE = """
SELECT id, message FROM posts WHERE message ILIKE %s AND delete_at = 0
ORDER BY create_at DESC LIMIT 20
"""


@dataclass(frozen=True, slots=True)
class Archive:
    """One that is indexed, and what is asked of it."""

    database: Database
    indexed_per_second: float
    questions: Sequence[Question]

    def search_ms(self) -> list[float]:
        search = Search(self.database)
        return [_took_ms(lambda q=q: search.find(q)) for q in self.questions]

    def like_ms(self) -> list[float]:
        words = [q.text for q in self.questions if q.text.isalpha()][:LIKES]
        return [_took_ms(lambda w=w: self._like(w)) for w in words]

    def _like(self, word: str) -> None:
        with self.database.transaction(limit_s=0) as cursor:
            cursor.execute(_LIKE, (f"%{word}%",))
            cursor.fetchall()


def search(stage: Stage, scale: Scale) -> Sequence[Figure]:
    return [
        figure
        for size in (QUICK if scale.is_quick else SIZES)
        for figure in _at(size, stage, scale.turns)
    ]


def _at(size: int, stage: Stage, turns: int) -> Iterator[Figure]:
    with stage.database() as dsn, Database(dsn) as database:
        archive = _archive(database, size)
        archive.search_ms()  # so that the first turn is like the others
        pairs = [(archive.search_ms(), archive.like_ms()) for _ in range(turns)]
    ours = [run for run, _ in pairs]
    at = f"{size:,} posts"
    yield Figure(
        row="search",
        name=f"p95 in {at}",
        unit="ms",
        ours=[percentile(run, 0.95) for run in ours],
        goal=GOAL_MS,
    )
    yield Figure(
        row="search",
        name=f"p50 in {at}",
        unit="ms",
        ours=[median(run) for run in ours],
        beside=[median(run) for _, run in pairs],
        beside_name="ILIKE",
    )
    yield Figure(
        row="search",
        name=f"indexed, {at}",
        unit="posts/s",
        ours=[archive.indexed_per_second],
    )


def _archive(database: Database, size: int) -> Archive:
    fill(database, size)
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO unindexed (post_ids) VALUES (NULL)")
    leadership = Leadership(database.dsn)
    try:
        leadership.try_take()
        indexing = Indexing(database, epoch=lambda: leadership.epoch, written=lambda: 0)
        took_s = _took_ms(indexing.catch_up) / 1000
    finally:
        leadership.close()
    with database.transaction(limit_s=0) as cursor:
        cursor.execute("ANALYZE post_words")
        cursor.execute("SELECT gin_clean_pending_list('post_words_words')")
        cursor.execute(_SOME, (QUESTIONS,))
        questions = [_question(*row) for row in enumerate(cursor.fetchall())]
    return Archive(database, size / took_s, questions)


def _question(number: int, post: tuple[str, str, str, str]) -> Question:
    """One of ten kinds, with the words of a post that there is."""
    _, message, channel_id, user_id = post
    chance = random.Random(number)
    said = [word for word in message.lower().split() if word.isalpha()] or ["deploy"]
    first, second = chance.choice(said), chance.choice(said)
    common = chance.choice((ENGLISH, RUSSIAN)[number % 2][17:])
    at = chance.randrange(len(said))
    texts = (
        *(first, common, f"{first} {second}", f"{common} {second}"),
        *(_quoted(*said[at : at + 2]), f"{common} -{second}"),
        *(f"{common[:4]}*", common, common, common),
    )
    kind = number % len(texts)
    bounds: tuple[dict[str, str | int], ...] = (
        {"channel_id": channel_id},
        {"user_id": user_id},
        {"since": round(END.timestamp() * 1000) - MONTH_MS},
    )
    bound = dict(enumerate(bounds, start=7)).get(kind, {})
    return Question(text=texts[kind], **bound)  # type: ignore[arg-type]


def _quoted(*words: str) -> str:
    return '"' + " ".join(words) + '"'


def _took_ms(do: Callable[[], object]) -> float:
    started = time.perf_counter()
    do()
    return (time.perf_counter() - started) * 1000
