"""The comparison with a real server: recorded requests are asked again.

Ids, times and texts are others than in the recording. So the two answers are
walked side by side: types and keys must be equal, constants too; an id always
stands for the same id; equal times stay equal and keep their order.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "fixtures" / "mattermost" / "sandbox"

# The texts that are others in our requests; alphabetical order is kept.
WORDS = {
    "admin": "aaron",
    "alice": "anna",
    "bob": "bert",
    "malexbot": "robot",
    "malex": "march",
    "malexish": "marchish",
    "ch-one": "room-one",
    "reply": "retort",
    "edited": "altered",
    "psst": "hush",
    "secret": "whisper",
    "nobodyhere": "noonehere",
}
_WORD = re.compile(rf"\b({'|'.join(sorted(WORDS, key=len, reverse=True))})\b")
_ID = re.compile(r"(?<![a-z0-9])[a-z0-9]{26}(?![a-z0-9])")
_TOKEN = re.compile(r"\{token of (\w+)\}")
_MOMENT = re.compile(r"(?<=since=)\d{13}")
_SHA1 = re.compile(r"[0-9a-f]{40}")
_RUN = re.compile(r"\{\{(.)\*(\d+)\}\}")
_JSON = re.compile(r'[{\[]["\]}]')
_EARLIEST_MS = 1_600_000_000_000
# What is in these is up to the post.
_OPEN = {"props", "metadata"}
# Lists whose order hangs on the ids, which are random.
_SETS = {"mentions", "teammate_ids"}


def load(name: str) -> dict[str, Any]:
    """The rows of a fixture by their names."""
    lines = (FOLDER / name).read_text().splitlines()
    return {row["name"]: row for row in map(json.loads, lines)}


def reworded(text: str) -> str:
    """The text as we send it: other words, and long runs written out."""
    text = _RUN.sub(lambda run: run[1] * int(run[2]), text)
    return _WORD.sub(lambda word: WORDS[word[1]], text)


class Comparison:
    """Knows which of our ids stands for which recorded one."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}
        self._taken: dict[str, str] = {}
        self.tokens: dict[str, str] = {}
        # Our times for recorded ones that requests name.
        self.moments: dict[int, int] = {}
        self._times: dict[int, int] = {}
        self.loose: frozenset[str] = frozenset()
        # Parts of addresses, and whole texts, that are others here.
        self.addresses: dict[str, str] = {}
        self.exact: dict[str, str] = {}

    def bind(self, recorded: str, ours: str) -> None:
        self.ids[recorded] = ours
        self._taken[ours] = recorded

    def ours(self, value: Any) -> Any:
        """What is recorded, in our ids and words: to be sent, or to be expected."""
        if isinstance(value, str) and value in self.exact:
            return self.exact[value]
        if isinstance(value, str):
            for recorded, ours in self.addresses.items():
                value = value.replace(recorded, ours)
            known = _ID.sub(lambda id: self.ids.get(id[0], id[0]), value)
            known = _TOKEN.sub(lambda who: self.tokens.get(who[1], who[0]), known)
            known = _MOMENT.sub(self._moment, known)
            return known if _ID.fullmatch(value) else reworded(known)
        if isinstance(value, dict):
            return {self.ours(key): self.ours(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.ours(item) for item in value]
        return value

    def _moment(self, found: re.Match[str]) -> str:
        recorded = int(found[0])
        return str(self.moments.get(recorded, recorded))

    def differences(
        self, recorded: Any, ours: Any, loose: frozenset[str] = frozenset()
    ) -> list[str]:
        """In words, each with its path; of `loose` fields only the type counts."""
        self.loose, self._times = loose, {}
        found = self._compare(recorded, ours, "")
        return found + self._disorder()

    def _compare(self, recorded: Any, ours: Any, path: str) -> list[str]:
        if type(recorded) is not type(ours):
            return [f"{path}: {recorded!r:.60} became {ours!r:.60}"]
        if path.rpartition(".")[2] in self.loose:
            return []
        if isinstance(recorded, dict):
            return self._compare_dicts(recorded, ours, path)
        if isinstance(recorded, list):
            return self._compare_lists(recorded, ours, path)
        if isinstance(recorded, str):
            return self._compare_texts(recorded, ours, path)
        if isinstance(recorded, int) and recorded > _EARLIEST_MS:
            return self._compare_times(recorded, ours, path)
        return [] if recorded == ours else [f"{path}: {recorded!r} became {ours!r}"]

    def _compare_dicts(
        self, recorded: dict[str, Any], ours: dict[str, Any], path: str
    ) -> list[str]:
        recorded, ours = _in_order(recorded), _in_order(ours)
        named = {self.ours(key): item for key, item in recorded.items()}
        missing, extra = named.keys() - ours.keys(), ours.keys() - named.keys()
        found = []
        if missing or extra:
            found.append(f"{path}: lacks {sorted(missing)}, adds {sorted(extra)}")
        # In the recorded order: `order` binds the ids that `posts` is keyed by.
        for key, item in recorded.items():
            name = self.ours(key)
            if name in ours:
                found += self._compare(item, ours[name], f"{path}.{name}")
        return found

    def _compare_lists(
        self, recorded: list[Any], ours: list[Any], path: str
    ) -> list[str]:
        if len(recorded) != len(ours):
            return [f"{path}: {len(recorded)} became {len(ours)} items"]
        if path.rpartition(".")[2] in _SETS:
            same = sorted(self.ours(recorded)) == sorted(ours)
            return [] if same else [f"{path}: other members"]
        pairs = zip(recorded, ours, strict=True)
        return [
            difference
            for at, (old, new) in enumerate(pairs)
            for difference in self._compare(old, new, f"{path}[{at}]")
        ]

    def _compare_texts(self, recorded: str, ours: str, path: str) -> list[str]:
        if _JSON.match(recorded) and _JSON.match(ours):
            return self._compare(json.loads(recorded), json.loads(ours), path)
        if _ID.fullmatch(recorded):
            return self._compare_ids(recorded, ours, path)
        if _SHA1.fullmatch(recorded) and _SHA1.fullmatch(ours):
            return []
        wanted, ours = self._unknown(self.ours(recorded)), self._unknown(ours)
        if "__" in recorded:
            wanted, ours = sorted(wanted.split("__")), sorted(ours.split("__"))
        return [] if wanted == ours else [f"{path}: {wanted!r} became {ours!r}"]

    def _unknown(self, text: str) -> str:
        """Ids that appear nowhere else: only that there is one can be compared."""
        return _ID.sub(lambda id: id[0] if id[0] in self._taken else "(id)", text)

    def _compare_ids(self, recorded: str, ours: str, path: str) -> list[str]:
        if not _ID.fullmatch(ours):
            return [f"{path}: an id became {ours!r}"]
        if recorded not in self.ids and ours not in self._taken:
            self.bind(recorded, ours)
        known = self.ids.get(recorded)
        return [] if known == ours else [f"{path}: id of {known} became {ours}"]

    def _compare_times(self, recorded: int, ours: int, path: str) -> list[str]:
        if ours < _EARLIEST_MS:
            return [f"{path}: a time became {ours}"]
        known = self._times.setdefault(recorded, ours)
        return [] if known == ours else [f"{path}: equal times differ"]

    def _disorder(self) -> list[str]:
        """Times must come in the recorded order; a millisecond may be shared."""
        ours = [self._times[at] for at in sorted(self._times)]
        return [] if ours == sorted(ours) else ["the order of times changed"]


def _in_order(listing: dict[str, Any]) -> dict[str, Any]:
    """A list of posts whose ties, which the database orders as it likes, are put right.

    Of a post and its old version, which share their create_at, the post comes first.
    """
    posts = listing.get("posts")
    if not posts or "order" not in listing or listing["order"][0] not in posts:
        return listing

    def rank(id: str) -> tuple[int, bool]:
        return -posts[id]["create_at"], bool(posts[id]["original_id"])

    return listing | {"order": sorted(listing["order"], key=rank)}


def shape(value: Any) -> Any:
    """Types instead of values; of an object keyed by ids, the shapes of its items."""
    if isinstance(value, dict):
        if value and all(_ID.fullmatch(key) for key in value):
            return ["ids", *sorted({json.dumps(shape(v)) for v in value.values()})]
        return {
            key: "dict" if key in _OPEN else shape(item)
            for key, item in sorted(value.items())
        }
    return type(value).__name__
