"""What a person types into a search, read into what PostgreSQL looks for.

deploy server       both words, in any form of theirs
"deploy server"     one right after the other
-staging            not this one
depl*               words that begin so
deploy OR release   one of them
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from malexbot.errors import Permanent
from malexbot.storage.words import plain

# A lexeme has 2046 bytes at most, and a sign up to four.
MOST_SIGNS = 500
FOR_EVER = 2**63 - 1
NO_WORD = "there is no word in it to look for"
# A single letter begins too many words.
LEAST_PREFIX = 2
# Stemming cuts off what a prefix may end within: "deploym*" means "deployment", which
# is kept as "deploy". So it is tried what the prefix would become with these.
_ENDINGS = (
    *("e", "s", "d", "ed", "t", "nt", "ent", "ing", "n", "on", "ion", "y", "ly"),
    *("es", "er", "ness", "g", "ng", "а", "у", "ы", "и", "е", "я", "ю", "й", "о"),
    *("м", "ми", "ть", "т", "х", "го", "ся", "сь", "ый", "ая", "ие", "ия", "ли"),
)
_TOKEN = re.compile(r'(-?)(?:"([^"]*)("?)(\*?)|(\S+))')
_OR = ("OR", "ИЛИ", "|")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is looked for; times are milliseconds, `until` is not within them."""

    text: str
    channel_id: str | None = None
    without: Collection[str] = ()
    """The ids of channels that nothing is looked for in."""
    user_id: str | None = None
    thread_id: str | None = None
    """The id of the post that the thread began with."""
    since: int = 0
    until: int = FOR_EVER
    with_deleted: bool = False
    limit: int = 20


class Unsearchable(Permanent):
    """There is nothing to look for in what was typed; the message tells why."""


class Term(NamedTuple):
    """Words that stand together; the last one may be only the beginning of one."""

    words: Sequence[str]
    is_prefix: bool = False
    is_excluded: bool = False


Query = Sequence[Sequence[Term]]
"""Alternatives, each of terms that must all be met."""


def parse(text: str) -> Query:
    """Any text is a query; raises Unsearchable if nothing is asked for."""
    if len(text) > MOST_SIGNS:
        raise Unsearchable(f"a search has {MOST_SIGNS} characters at most")
    alternatives: list[list[Term]] = [[]]
    for token in _TOKEN.finditer(text):
        if token[0] in _OR:
            alternatives.append([])
        elif term := _term(token):
            alternatives[-1].append(term)
    asked = [list(dict.fromkeys(terms)) for terms in alternatives if terms]
    if not asked:
        raise Unsearchable(NO_WORD)
    if any(all(term.is_excluded for term in terms) for terms in asked):
        raise Unsearchable("only what is not wanted is named, add what is")
    return asked


def _term(token: re.Match[str]) -> Term | None:
    minus, quoted, _, star, bare = token.groups()
    text = quoted if bare is None else bare
    words = plain(text).split()
    if not words:
        return None
    is_prefix = bool(star) or text.endswith("*")
    if is_prefix and len(words[-1]) < LEAST_PREFIX:
        raise Unsearchable(
            f"{words[-1]}* would be nearly everything: give {LEAST_PREFIX} letters"
            " at least before the *"
        )
    return Term(tuple(words), is_prefix, bool(minus))


def required(query: Query, common: Container[str]) -> Query:
    """The query without the common words that stand alone beside others.

    They help to tell what is meant, but who asks for an error on the server does not
    mind an error of the server.
    """
    return [_required(terms, common) for terms in query]


def _required(terms: Sequence[Term], common: Container[str]) -> Sequence[Term]:
    left = [term for term in terms if not _is_common(term, common)]
    return left if any(not term.is_excluded for term in left) else terms


def _is_common(term: Term, common: Container[str]) -> bool:
    is_alone = len(term.words) == 1 and not (term.is_prefix or term.is_excluded)
    return is_alone and term.words[0] in common


def prefixes(query: Query) -> set[str]:
    """The beginnings of words that are in it."""
    return {term.words[-1] for terms in query for term in terms if term.is_prefix}


def single_words(query: Query) -> set[str]:
    return {term.words[0] for terms in query for term in terms if len(term.words) == 1}


def completed(prefix: str) -> str:
    """Words that the prefix could be meant for, to be stemmed."""
    return " ".join((prefix, *(prefix + ending for ending in _ENDINGS)))


def as_sql(
    query: Query, stems: Mapping[str, Iterable[str]]
) -> tuple[str, Sequence[str]]:
    """An expression that makes a tsquery, and its values.

    `stems` of a prefix are those that do not begin with it themselves.
    """
    values: list[str] = []
    alternatives = [
        " && ".join(f"({_sql(term, stems, values)})" for term in terms)
        for terms in query
    ]
    return " || ".join(f"({each})" for each in alternatives), values


def _sql(term: Term, stems: Mapping[str, Iterable[str]], values: list[str]) -> str:
    minus = "!!" if term.is_excluded else ""
    *before, last = term.words
    if not term.is_prefix:
        values.append(" ".join(term.words))
        return f"{minus}phraseto_tsquery('spoken', %s)"
    others = (lexeme(stem) for stem in stems.get(last, ()) if not stem.startswith(last))
    values += (" ".join(before), " | ".join((f"{lexeme(last)}:*", *others)))
    return f"{minus}(phraseto_tsquery('spoken', %s) <-> %s::tsquery)"


def lexeme(text: str) -> str:
    """A lexeme as a tsquery writes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def narrowed(wanted: Mapping[str, str | None]) -> Iterator[str]:
    """The lexemes that tell where and by whom, for what is asked for of these."""
    for name, id_ in wanted.items():
        if id_ is not None:
            yield lexeme(f"{name}:{id_}")
