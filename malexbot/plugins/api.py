"""The decorators that make a function what malexbot calls on an event.

    @command("/deploy", "deploy to a stage", roles=["ops"])
    def deploy(event: Event, bot: Bot, stage: Literal["dev", "prod"]) -> None:
        bot.answer(f"{stage}: begun")

A function stays what it is; it may have several of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import (
    TYPE_CHECKING,
    NamedTuple,
    ParamSpec,
    Protocol,
    TypedDict,
    TypeVar,
    Unpack,
)

from malexbot.config.fields import read_duration
from malexbot.config.permissions import Permission
from malexbot.plugins.refusal import Refused
from malexbot.plugins.texts import Words
from malexbot.plugins.triggers import (
    Called,
    Commanded,
    Due,
    Filled,
    Heard,
    Pressed,
    Trigger,
)
from malexbot.ports.forms import require_action
from malexbot.runtime.calendar import Calendar, Cron, Every

if TYPE_CHECKING:
    from malexbot.rules import Condition
    from malexbot.rules.patterns import Pattern

MAX_AGE_S = 600.0

_COMMAND = re.compile(r"/[a-z0-9][a-z0-9_.-]*")
_HOOK = re.compile(r"/[a-z0-9][a-z0-9_-]*")
_MARK = "__malexbot__"

Function = TypeVar("Function", bound=Callable[..., None])
Given = ParamSpec("Given")
Made = TypeVar("Made")


class Decorator(Protocol):
    """Marks a function, and gives it back as it is."""

    def __call__(self, function: Function, /) -> Function: ...


class Options(TypedDict, total=False):
    """What each decorator takes besides."""

    users: Sequence[str]
    """Who alone may: user names or ids. With roles: one or the other."""
    channels: Sequence[str]
    """Where alone: names or ids."""
    roles: Sequence[str]
    """Whose people may; the operator says who they are."""
    max_age: str | float
    """What is older, by then, is not acted on."""
    once: bool
    """Yes: a run that a crash of malexbot cut off is not begun again."""


class Mark(NamedTuple):
    """What one decorator says of its function."""

    trigger: Trigger
    permission: Permission
    max_age_s: float
    once: bool


def marks(value: object) -> Sequence[Mark]:
    """What decorators said of it; nothing of most things."""
    found: Sequence[Mark] = getattr(value, _MARK, ()) if callable(value) else ()
    return found


def command(
    name: str, help: Words | None = "", **options: Unpack[Options]
) -> Decorator:
    """Call it when somebody gives the command; "/deploy undo" is a part of /deploy.

    With None the help of malexbot says nothing of it.
    """
    words = tuple(name.lower().split())
    if not words or not _COMMAND.fullmatch(words[0]):
        raise Refused(f"{name!r} is no command; it begins so: /deploy")
    return _marked(Commanded(words, help), options)


def listen(
    event: str = "posted",
    *,
    when: str = "",
    pattern: str = "",
    mention: bool = False,
    direct: bool = False,
    bots: bool = False,
    help: Words = "",
    **options: Unpack[Options],
) -> Decorator:
    """Call it when this happens in a channel that malexbot listens to.

    `pattern` (RE2) fills parameters by its named groups, `when` is a condition on
    `event`. With `mention` it is called when the bot is named; with `direct` also, or
    with both else only, in direct messages; with `bots` for what programs say, too.
    """
    heard = Heard(
        name=event,
        when=_fit(_condition, when) if when else None,
        pattern=_fit(_pattern, pattern) if pattern else None,
        mention=mention,
        direct=direct,
        bots=bots,
        help=help,
    )
    return _marked(heard, options)


def action(name: str, **options: Unpack[Options]) -> Decorator:
    """Call it when a `Button` or `Menu` of this action is used.

    What was given as `payload` fills the parameters of its names; `choice` is what was
    chosen from a menu.
    """
    return _marked(Pressed(_fit(require_action, name)), options)


def dialog(
    name: str, *, cancelled: bool = False, **options: Unpack[Options]
) -> Decorator:
    """Call it when a `Dialog` of this action is filled in, or is `cancelled`.

    Its fields and its payload fill the parameters of their names; what does not fit a
    parameter is told at its field, and the dialog stays open.
    """
    return _marked(Filled(_fit(require_action, name), cancelled), options)


def every(period: str | float, **options: Unpack[Options]) -> Decorator:
    """Call it every so often: "5m", "1h30m"; once each time, whatever is restarted."""
    return _due(_fit(Every, _fit(read_duration, period)), options)


def cron(line: str, tz: str = "UTC", **options: Unpack[Options]) -> Decorator:
    """Call it when a line of cron says so: "0 9 * * mon-fri", tz="Europe/Berlin"."""
    return _due(_fit(Cron, line, tz), options)


def webhook(path: str, **options: Unpack[Options]) -> Decorator:
    """Call it when somebody calls `/hooks` and this path; `webhooks:` has its secret.

    `event.data["body"]` is what was sent. "/outgoing" is Mattermost's own webhooks.
    """
    if not _HOOK.fullmatch(path):
        raise Refused(f"{path!r} is no path for a webhook; one is /github")
    return _marked(Called(path), options)


def _due(calendar: Calendar, options: Options) -> Decorator:
    return _marked(Due(calendar), options)


def _marked(trigger: Trigger, options: Options) -> Decorator:
    bounds = [name for name in ("users", "channels", "roles") if name in options]
    if bounds and not trigger.is_of_a_person:
        raise Refused(f"{trigger.title} has no {bounds[0]}: no person sets it off")
    mark = Mark(
        trigger=trigger,
        permission=Permission(
            users=_several(options.get("users", ())),
            roles=_several(options.get("roles", ())),
            channels=_several(options.get("channels", ())),
        ),
        max_age_s=_fit(read_duration, options.get("max_age", MAX_AGE_S)),
        once=options.get("once", False),
    )

    def decorate(function: Function) -> Function:
        if not callable(function) or isinstance(function, type):
            raise Refused(f"{trigger.title} needs a function")
        # The one that stands lowest is the first to come here.
        setattr(function, _MARK, (mark, *marks(function)))
        return function

    return decorate


def _condition(text: str) -> Condition:
    # Jinja2 takes 0.1 s to import: only who has a condition pays for it.
    from malexbot.rules import Condition

    return Condition(text)


def _pattern(text: str) -> Pattern:
    from malexbot.rules.patterns import pattern

    return pattern(text)


def _fit(
    make: Callable[Given, Made], *given: Given.args, **named: Given.kwargs
) -> Made:
    """What is made of what the author wrote; the error is told to him as it is."""
    try:
        return make(*given, **named)
    except ValueError as error:
        raise Refused(str(error)) from None


def _several(names: Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)
