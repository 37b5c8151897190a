"""What handlers take beside the event and the bot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest

from malexbot.plugins import Bot, Duration, Event
from malexbot.plugins.parameters import Misfit, Parameters
from malexbot.plugins.refusal import Refused


def deploy(
    event: Event, bot: Bot, stage: Literal["dev", "prod"], times: int = 1
) -> None: ...


def remind(event: Event, bot: Bot, wait: Duration, *, what: str) -> None: ...


def join(event: Event, bot: Bot, *names: str) -> None: ...


def bare(event, bot, word, other="x"): ...  # type: ignore[no-untyped-def]


@pytest.mark.parametrize(
    ("function", "text", "words", "named"),
    [
        (deploy, "prod", ["prod", 1], {}),
        (deploy, " dev  3 ", ["dev", 3], {}),
        (remind, "10m buy  “milk”\nand tea", [600.0], {"what": "buy  “milk”\nand tea"}),
        (join, "", [], {}),
        (
            join,
            'anna "boris b" «вера» “clara”',
            ["anna", "boris b", "вера", "clara"],
            {},
        ),
        (bare, "a", ["a", "x"], {}),
        (bare, '"" b', ["", "b"], {}),
    ],
)
def test_words_are_read_by_their_types(
    function: Callable[..., None], text: str, words: list[Any], named: dict[str, Any]
) -> None:
    assert Parameters(function).by_words(text) == (words, named)


@pytest.mark.parametrize(
    ("function", "text", "name", "value"),
    [
        (deploy, "", "stage", None),
        (deploy, "staging", "stage", "staging"),
        (deploy, "dev many", "times", "many"),
        (deploy, "dev 1 2", "", "2"),
        (remind, "10m", "what", None),
        (remind, "soon tea", "wait", "soon"),
    ],
)
def test_what_does_not_fit_is_named(
    function: Callable[..., None], text: str, name: str, value: str | None
) -> None:
    with pytest.raises(Misfit) as raised:
        Parameters(function).by_words(text)
    assert (raised.value.name, raised.value.value) == (name, value)


def test_names_fill_them_too_and_what_nobody_takes_is_left() -> None:
    given = Parameters(deploy).by_name({"stage": "dev", "times": "4", "else": 1})
    assert given == ((), {"stage": "dev", "times": 4})
    assert Parameters(deploy).by_name({"stage": "dev"}).named["times"] == 1
    with pytest.raises(Misfit):
        Parameters(deploy).by_name({"times": 1})


def test_text_may_be_a_number_in_a_payload() -> None:
    def wave(event: Event, bot: Bot, who: str) -> None: ...

    assert Parameters(wave).by_name({"who": 5}).named == {"who": "5"}


def test_the_usage_is_as_one_writes_it() -> None:
    assert Parameters(deploy).usage == "dev|prod [times]"
    assert Parameters(remind).usage == "wait what …"
    assert Parameters(join).usage == "[names …]"


def test_types_of_event_and_bot_may_be_known_to_checkers_only() -> None:
    namespace: dict[str, Any] = {}
    text = "def f(event: 'Unknown', bot: 'Nobody', n: 'int') -> 'Nothing': ..."
    exec(text, namespace)
    assert Parameters(namespace["f"]).by_words("3").words == [3]


async def waits(event: Event, bot: Bot) -> None: ...


def alone(event: Event) -> None: ...


def greedy(event: Event, bot: Bot, **all: Any) -> None: ...


def twice(event: Event, bot: Bot, *a: str, b: str) -> None: ...


def odd(event: Event, bot: Bot, what: Callable[..., None].__class__) -> None: ...


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (waits, "waits is async"),
        (alone, r"alone has to take \(event, bot\)"),
        (greedy, r"greedy takes \*\*"),
        (twice, "takes the rest of the words twice"),
        (odd, "nobody can read a"),
    ],
)
def test_what_is_no_handler_is_refused(
    function: Callable[..., None], told: str
) -> None:
    with pytest.raises(Refused, match=told):
        Parameters(function)
