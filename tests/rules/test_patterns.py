"""The patterns of rules: as Python's where they can be, and never slow."""

from __future__ import annotations

import re
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from malexbot.rules import Condition, RuleError, RuleFailed, Template
from malexbot.rules.patterns import MOST_STEPS, Pattern, PatternError, pattern
from tests.support.events import posted

LONGEST_POST = 16_383
# Of an alphabet, none or several; what stands between words, and what ends a line.
SIGNS = "aBz_09-яЖé٣中 \t\n\xa0\u2003.!]^"


def asked(written: str, text: str) -> bool:
    """What a rule says that has this pattern, as an operator writes it."""
    condition = Condition(f"event.message.text is matching({written})")
    said = condition(posted(text=text))
    assert not condition.failures
    return said


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("(a+)+$", "a" * 5000 + "!"),
        ("(a|a)*$", "a" * LONGEST_POST + "!"),
        ("(x+x+)+y", "x" * LONGEST_POST),
        ("(.*)(.*)(.*)(.*)(.*)=", "x" * LONGEST_POST),
        (r"^(\w+\s?)*$", "wort " * 3000 + "!"),
    ],
)
def test_a_text_cannot_hang_a_pattern(written: str, text: str) -> None:
    rule = "event.message.text is not matching('PATTERN')"
    condition = Condition(rule.replace("PATTERN", written))
    event = posted(text=text)
    started = time.thread_time()
    assert condition(event) == (not pattern(written).is_in(text))
    # Less than a millisecond each; an engine that goes back needs longer than we live.
    assert time.thread_time() - started < 1


def test_other_threads_go_on_while_a_pattern_is_searched() -> None:
    searched = Pattern("[ab]*a[ab]{900}c")
    text = "ab" * 50_000
    went_on = 0
    thread = threading.Thread(target=searched.is_in, args=(text,))
    thread.start()
    while thread.is_alive():
        went_on += 1
    thread.join()
    assert went_on > 100


def test_a_rule_cannot_be_made_of_searches_without_end() -> None:
    text = "{% for n in range(1000) %}{% if event.message.text is matching('PATTERN')"
    text += " %}{% endif %}{% endfor %}"
    template = Template(text.replace("PATTERN", "[ab]*a[ab]{900}c"))
    started = time.thread_time()
    with pytest.raises(RuleFailed, match="more than any answer needs"):
        template.render(posted(text="a" * LONGEST_POST))
    assert time.thread_time() - started < 10


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"'\bdeploy\b'", "please deploy it"),
        (r"'\\bdeploy\\b'", "please deploy it"),
        (r'"\d{2,3}$"', "item 12"),
        (r"'it\'s a \\\\'", "it's a \\"),
        (r"'^\u043fри'", "привет"),
        ("'a\nb'", "a\nb"),
        (r"'\Aa\z'", "a"),
        (r"'(?im)^B$'", "a\nb"),
        (r"'\Q(\w)\E'", "(\\w)"),
        (r"'^[[:alpha:]\w-]+$'", "a-я"),
        (r"'^[]\s]+$'", "] ]"),
        (r"'^[\s\S]+$'", "a \n\U0001fae9"),
        (r"'\bdeploy.*🚀'", "deploy 🚀"),
        (r"'\w{1,64}@\w{1,64}'", "a@b"),
        ("'e\u0301?$'", "cafe\u0301"),
    ],
)
def test_a_pattern_is_read_as_it_is_written(written: str, text: str) -> None:
    assert asked(written, text)


def test_only_patterns_are_read_as_they_are_written() -> None:
    rule = r"{{ 'a\tb' }}{{ 'a' is matching('\x61') }}{{ ['matching', '\t'] }}"
    assert Template(rule).render(posted()) == "a\tbTrue['matching', '\\t']"


def test_letters_are_those_of_every_alphabet() -> None:
    assert Pattern(r"^\w+\s\w+\W$").is_in("Привет\xa0мир!")
    assert Pattern(r"^[\d,]+\D[^\s\S]?[\S]$").is_in("١,٢ я")
    assert not Pattern(r"[^\w\s]").is_in("Привет мир")
    assert not Pattern(r"\w").is_in("— … 🚀")


def test_half_a_sign_in_a_text_is_no_fault() -> None:
    assert Pattern("^a.b$").is_in("a\ud800b")
    assert not Pattern("\\x{fffd}").is_in("\ud800")


PARTS = ["a", "B", "я", "-", ".", "^", "$", r"\.", r"\]", " "]
CLASSES = [r"\w", r"\d", r"\s", r"\D", r"\S", "a-z", "я", "_", r"\]", r"\^"]
SETS = st.builds(
    lambda start, names: f"{start}{''.join(names)}]",
    st.sampled_from(["[", "[^", "[]", "[^]"]),
    st.lists(st.sampled_from(CLASSES), min_size=1, max_size=3),
)
ATOMS = st.one_of(st.sampled_from([*PARTS, r"\w", r"\W", r"\d", r"\s", r"\S"]), SETS)
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("(?:{}){}".format, inner, st.sampled_from(["*", "+?", "{0,2}"])),
        st.builds("(?i:{})".format, inner),
    ),
    max_leaves=5,
)


@settings(deadline=None)
@given(PATTERNS, st.text(SIGNS, max_size=8).map(lambda text: f"{text}."))
def test_what_both_know_means_what_it_means_to_python(written: str, text: str) -> None:
    assert Pattern(written).is_in(text) == bool(re.search(written, text))


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("(", "missing ): ("),
        ("[a", "missing ]: [a"),
        ("*a", "no argument for repetition operator: *"),
        ("a(?=b)", "`is matching('a') and … is not matching('b')`"),
        ("a(?!b)", "ask twice: `is matching('a')"),
        ("(?<=a)b", "ask twice: `is matching('a')"),
        ("(?<!a)b", "ask twice: `is matching('a')"),
        (r"(a)\1", "cannot refer to a group"),
        ("(?P<n>a)(?P=n)", "cannot refer to a group"),
        ("a++", "write one `+`"),
        ("(?>a)", "write one `+`"),
        ("(?x) a", "after `(?` may stand `:`"),
        (r"a\Z", r"the end of the text is `\z`"),
        (r"\y", r"\y; write the sign itself"),
        ("a{1001}", "at most 1000 times"),
        ("(a{100}){100}", "at most 1000 times"),
        ("a{,3}", "write {0,3}"),
        (r"[\W_]", r"write `[^\w…]`"),
        (r"\bпривет\b", r"`\b` knows a-z, 0-9 and _ only; write `(^|\W)`"),
        ("\bdeploy", r"`\b` is written `\\b`"),
        (".{0,100}" * 20, "pattern too large; ask for it fewer times"),
        (r"\w{1,500}", "pattern too large - compile failed; ask for it fewer times"),
    ],
    ids=lambda text: text[:30],
)
def test_what_is_no_pattern_is_refused_with_a_cure(written: str, why: str) -> None:
    with pytest.raises(PatternError, match=re.escape(why)):
        Pattern(written)


def test_the_largest_pattern_can_be_searched_in_the_longest_post() -> None:
    large = "|".join(f"[ab]*a[ab]{{{900 + n}}}c" for n in range(4))
    assert MOST_STEPS * 0.9 < pattern(large).steps < MOST_STEPS
    condition = Condition("event.message.text is matching('P')".replace("P", large))
    started = time.thread_time()
    assert not condition(posted(text="ab" * (LONGEST_POST // 2)))
    assert time.thread_time() - started < 5
    assert not condition.failures
    with pytest.raises(PatternError, match="too large"):
        Pattern(f"{large}|{large}")


@pytest.mark.parametrize(
    "condition",
    [
        "event.message.text is matching('(')",
        "event.data.mentions|select('matching', '(')|list",
        "event.data.mentions|reject('matching', '(')|list",
        "event.data.mentions|selectattr('a', 'matching', '(')|list",
        "event.data.mentions|rejectattr('a', 'matching', '(')|list",
    ],
)
def test_a_rule_is_refused_for_its_pattern(condition: str) -> None:
    with pytest.raises(RuleError, match=r"in line 2: the pattern is wrong: missing \)"):
        Condition(f"event.message and\n{condition}")


@pytest.mark.parametrize(
    "condition",
    [
        "event.message.text is matching(event.name)",
        "event.message.text is matching()",
        "event.message.text is matching(1)",
        "event.data.mentions|select('matching', event.name)|list",
        "event.data.mentions|select('matching')|list",
    ],
)
def test_a_pattern_is_written_in_quotes(condition: str) -> None:
    with pytest.raises(RuleError, match="takes a pattern in quotes"):
        Condition(condition)


def test_a_filter_asks_for_patterns_too() -> None:
    event = posted(data={"mentions": ["ann", "bob"]})
    template = Template("{{ event.data.mentions|select('matching', '^b')|join }}")
    assert template.render(event) == "bob"
    assert Condition("event.name|replace('matching', '(')")(event)


# What its groups found.


def test_named_groups_tell_what_they_found() -> None:
    found = Pattern(r"(?i)deploy (?P<what>\w+)(?: to (?P<stage>\pL+))?")
    assert set(found.names) == {"what", "stage"}
    assert found.parts("please DEPLOY shop to прод now") == {
        "what": "shop",
        "stage": "прод",
    }
    assert found.parts("deploy shop") == {"what": "shop"}
    assert found.parts("nothing") is None
    assert Pattern("a").parts("a") == {}
