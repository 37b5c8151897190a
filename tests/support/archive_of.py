"""An archive of any size, made by COPY: a company that talks Russian and English.

    python -m tests.support.archive_of 1000000 postgresql://…/name

There are people, channels, threads, edits, deletions, reactions and files, over three
years of office hours; the words are as unequally frequent as people's are. The same
seed makes the same archive.
"""

from __future__ import annotations

import random
import string
import sys
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import orjson

from malexbot.storage.copying import escape
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.migrate import migrate

SOURCE = "mattermost"
END = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 3 * 365
HOUR_MS = 3_600_000
# How much is written in each hour of a day, and on each day of a week.
HOURS = (
    1,
    1,
    1,
    1,
    1,
    2,
    4,
    9,
    20,
    34,
    38,
    36,
    28,
    32,
    38,
    36,
    32,
    24,
    12,
    8,
    6,
    5,
    3,
    2,
)
WEEK = (10, 11, 11, 10, 9, 2, 1)

ENGLISH = """the a to and of in is it for on we you that with have be this not deploy
build server release error please thanks can will when review branch merge test failed
backup database report customer meeting tomorrow today ready question deployed testing
servers errors released reviewing customers meetings broken fixed fixing""".split()
RUSSIAN = """и в не на что с как это мы по у за но так уже всё для если надо сервер
сборка ошибка релиз спасибо можно завтра сегодня готово вопрос проверить отчёт клиент
встреча задача задачи задачу серверы серверов ошибки ошибок отчёты клиенты клиентов
встречи сломалось починили проверяю проверили выкатили выкатываем""".split()
NAMES = """alice bob carol dave erin frank grace heidi ivan judy mallory oleg peggy
rupert sybil trent victor walter anna boris dina egor""".split()
CHANNELS = (
    *(("town-square", "Town Square"), ("deploys", "Deploys"), ("obshchiy", "Общий")),
    *(("podderzhka", "Поддержка"), ("incidents", "Incidents"), ("random", "Random")),
)
EMOJI = ("+1", "tada", "heart", "eyes", "white_check_mark", "смех")
FILES = (("report.pdf", "application/pdf"), ("снимок.png", "image/png"))
_SIGNS = string.ascii_lowercase + string.digits

_POSTS = (
    "id, channel_id, user_id, root_id, type, message, create_at, update_at, edit_at,"
    " delete_at, raw, kept_from"
)
_VERSIONS = "post_id, edit_at, message, raw"
_REACTIONS = "post_id, user_id, emoji, added_at"


def fill(database: Database, posts: int, *, seed: int = 1) -> None:
    """Put so many posts into an empty archive, which has all tables already."""
    talk = Talk(posts=posts, chance=random.Random(seed))
    with database.transaction(limit_s=0) as cursor:
        for table, columns, rows in (
            ("channels", "source, channel_id, team_id, type, name, display_name", None),
            ("people", "source, user_id, name", None),
            ("posts", _POSTS, talk.posts_of()),
            ("post_versions", _VERSIONS, talk.versions),
            ("reactions", _REACTIONS, talk.reactions),
        ):
            lines = getattr(talk, table) if rows is None else rows
            words = f"COPY {table} ({columns}) FROM STDIN"
            cursor.copy_expert(words, _Lines(lines), 1 << 20)
    with database.transaction(limit_s=0) as cursor:
        cursor.execute("ANALYZE")


class Talk:
    """Who says what, where and when, as lines for COPY."""

    def __init__(self, *, posts: int, chance: random.Random) -> None:
        self._chance = chance
        self._number = posts
        self._words = [_frequent(ENGLISH, "aeiou"), _frequent(RUSSIAN, "аеиоу")]
        self.channel_ids = [self._id() for _ in range(_grown(6, posts, 40))]
        self.user_ids = [self._id() for _ in range(_grown(22, posts, 400))]
        self._weights = list(accumulate(1 / (n + 1) for n in range(400)))
        self._roots: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=8))
        self.versions: list[str] = []
        self.reactions: list[str] = []

    @property
    def channels(self) -> Iterator[str]:
        for number, id_ in enumerate(self.channel_ids):
            name, display = CHANNELS[number % len(CHANNELS)]
            tail = f"-{number}" if number >= len(CHANNELS) else ""
            yield _line(SOURCE, id_, "team", "O", name + tail, display + tail)

    @property
    def people(self) -> Iterator[str]:
        for number, id_ in enumerate(self.user_ids):
            tail = f".{number}" if number >= len(NAMES) else ""
            yield _line(SOURCE, id_, NAMES[number % len(NAMES)] + tail)

    def posts_of(self) -> Iterator[str]:
        """In the order of time; what belongs to them is known when they are through."""
        for at in self._times():
            yield self._post(at)

    def _times(self) -> Iterator[int]:
        first = END - timedelta(days=DAYS)
        days = [first + timedelta(days=n) for n in range(DAYS)]
        weights = list(accumulate(WEEK[day.weekday()] for day in days))
        for day, until, before in zip(days, weights, [0, *weights], strict=False):
            midnight = round(day.timestamp() * 1000)
            much = until * self._number // weights[-1]
            count = much - before * self._number // weights[-1]
            hours = self._chance.choices(range(len(HOURS)), HOURS, k=count)
            spread = self._chance.random
            yield from sorted(midnight + int((h + spread()) * HOUR_MS) for h in hours)

    def _post(self, at: int) -> str:
        chance, roll = self._chance, self._chance.random
        post_id, place = self._id(), self._picked(self.channel_ids)
        author, text = self._picked(self.user_ids), self._text()
        root_id = chance.choice(roots) if (roots := self._roots[place]) else ""
        if not root_id or roll() > 0.4:
            root_id = ""
            self._roots[place].append(post_id)
        edit_at = at + 60_000 if roll() < 0.03 else 0
        delete_at = at + HOUR_MS if roll() < 0.01 else 0
        post = {
            "id": post_id,
            "create_at": at,
            "update_at": max(at, edit_at),
            "edit_at": edit_at,
            "delete_at": 0,
            "is_pinned": False,
            "user_id": author,
            "channel_id": place,
            "root_id": root_id,
            "original_id": "",
            "message": text,
            "type": "system_join_channel" if roll() < 0.005 else "",
            "props": {},
            "hashtags": "",
            "metadata": self._metadata(post_id, author) if roll() < 0.02 else {},
        }
        raw = orjson.dumps(post).decode()
        if edit_at:
            self.versions.append(_line(post_id, 0, escape(self._text()), escape(raw)))
        if roll() < 0.06:
            self._mark(post_id, at)
        return _line(
            *(post_id, place, author, root_id, post["type"], escape(text), at),
            *(max(at, edit_at), edit_at, delete_at, escape(raw), 0),
        )

    def _text(self) -> str:
        chance = self._chance
        words, weights = self._words[chance.random() < 0.5]
        text = chance.choices(words, cum_weights=weights, k=chance.randint(3, 20))
        if chance.random() < 0.05:
            text.append(f"#{chance.randint(1, 99999)}")
        return " ".join(text).capitalize()

    def _mark(self, post_id: str, at: int) -> None:
        chance = self._chance
        emoji = chance.choice(EMOJI)
        for who in chance.sample(self.user_ids, chance.randint(1, 4)):
            self.reactions.append(_line(post_id, who, emoji, at + 1000))

    def _metadata(self, post_id: str, author: str) -> dict[str, object]:
        name, kind = self._chance.choice(FILES)
        size = self._chance.randint(1_000, 9_000_000)
        file = {"id": self._id(), "user_id": author, "post_id": post_id, "name": name}
        extension = name.rpartition(".")[2]
        return {
            "files": [{**file, "extension": extension, "size": size, "mime_type": kind}]
        }

    def _id(self) -> str:
        return "".join(self._chance.choices(_SIGNS, k=26))

    def _picked(self, ids: Sequence[str]) -> str:
        """The first ones most often."""
        weights = self._weights[: len(ids)]
        return self._chance.choices(ids, cum_weights=weights)[0]


@dataclass
class _Lines:
    """An open file, as COPY wants one."""

    lines: Iterable[str]
    _left: bytes = b""
    _rest: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self._rest = iter(self.lines)

    def read(self, size: int) -> bytes:
        piece, length = [self._left], len(self._left)
        while length < size and (line := next(self._rest, None)) is not None:
            piece.append(line.encode())
            length += len(piece[-1])
        whole = b"".join(piece)
        self._left = whole[size:]
        return whole[:size]


def _line(*values: object) -> str:
    return "\t".join(map(str, values)) + "\n"


def _grown(least: int, posts: int, most: int) -> int:
    return max(least, min(most, posts // 2000))


def _frequent(words: Sequence[str], vowels: str) -> tuple[list[str], list[float]]:
    """What people say all the time, and a long tail of what they say but once."""
    chance, others = random.Random(vowels), "bdfgklmnprstvz"
    if vowels[0] == "а":
        others = "бвгдзклмнпрст"
    rare = {
        "".join(chance.choice(others) + chance.choice(vowels) for _ in range(size))
        for size in (2, 3, 3, 4)
        for _ in range(2000)
    }
    all_words = [*words, *sorted(rare)]
    return all_words, list(accumulate(1 / (n + 3) for n in range(len(all_words))))


def main(posts: str, url: str) -> None:
    with Database(Dsn.from_url(url)) as database:
        migrate(database)
        fill(database, int(posts))


if __name__ == "__main__":
    main(*sys.argv[1:])
