"""A decorated function, as the processor that it is underneath."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from malexbot.events import Event
from malexbot.plugins.api import Mark
from malexbot.plugins.parameters import Arguments, Misfit, Parameters
from malexbot.plugins.permits import Permit
from malexbot.plugins.texts import text
from malexbot.plugins.triggers import (
    BUTTON,
    COMMAND,
    DIALOG,
    Commanded,
    Due,
    Heard,
    Trigger,
)
from malexbot.ports import Bot, Occasion, Processor
from malexbot.runtime.calendar import Calendar

log = logging.getLogger(__name__)

# Of these a person waits for the answer, and is told no; of others no is silence.
_ANSWERED = (COMMAND, BUTTON, DIALOG)
ANYBODY = Permit()


class Handler(Processor):
    """It is called `plugin.function`, and its plugin alone switches it on."""

    def __init__(
        self,
        function: Callable[..., None],
        *,
        plugin: str,
        marks: Sequence[Mark],
        permits: Sequence[Permit] = (),
        settings: Any = None,
    ) -> None:
        """`permits` are those of the marks, in their order; without, anybody may."""
        self.name = f"{plugin}.{function.__name__}"
        self.triggers: Sequence[Trigger] = [mark.trigger for mark in marks]
        # Every post comes by here: what is not of its event is not even asked.
        self._of: dict[str, list[Trigger]] = {}
        for trigger in self.triggers:
            self._of.setdefault(trigger.event, []).append(trigger)
        self.events = tuple(self._of)
        self.max_age_s = max(mark.max_age_s for mark in marks)
        self.once = any(mark.once for mark in marks)
        self.answers = any(trigger.is_of_a_person for trigger in self.triggers)
        self.decides_again = any(
            isinstance(each, Heard) and each.when for each in self.triggers
        )
        self.settings = settings
        self._permits = dict(
            zip(self.triggers, permits or [ANYBODY] * len(marks), strict=True)
        )
        self._function = function
        self._takes = Parameters(function)
        for trigger in self.triggers:
            trigger.require_fit(self._takes)

    @property
    def plugin(self) -> str:
        return self.name.partition(".")[0]

    @property
    def function(self) -> str:
        return self.name.partition(".")[2]

    @property
    def calendars(self) -> Sequence[Calendar]:
        """When it is due by itself."""
        return [each.calendar for each in self.triggers if isinstance(each, Due)]

    @property
    def usages(self) -> Iterator[tuple[Commanded | Heard, str]]:
        """What people can set it off with, and how they write that."""
        for trigger in self.triggers:
            if isinstance(trigger, Commanded):
                yield trigger, f"{trigger.title} {self._takes.usage}".strip()
            elif isinstance(trigger, Heard) and trigger.help:
                yield trigger, ""

    def allows(self, trigger: Trigger, event: Event) -> bool:
        """Yes: whoever the event is of may set it off so, there; the clock may."""
        return not trigger.is_of_a_person or self._permits[trigger].allows(event)

    def wants(self, event: Event, occasion: Occasion) -> bool:
        trigger = self._trigger(event, occasion)
        if trigger is None:
            return False
        return event.common_name in _ANSWERED or self.allows(trigger, event)

    def handle(self, event: Event, occasion: Occasion, bot: Bot) -> None:
        trigger = self._trigger(event, occasion)
        if trigger is None:
            log.info("%s: %s is not for it any more", self.name, event.event_id)
        elif not self.allows(trigger, event):
            log.warning("%s: user %s may not", self.name, event.user.uuid)
            bot.refuse(text("not allowed", bot.locale))
        elif (given := self._given(trigger, event, bot)) is not None:
            self._function(event, bot, *given.words, **given.named)

    def _trigger(self, event: Event, occasion: Occasion) -> Trigger | None:
        """The one that fits; what a reload has changed since may fit none."""
        for trigger in self._triggers(event):
            if trigger.fits(event, occasion, self.name):
                return trigger
        return None

    def _triggers(self, event: Event) -> Iterator[Trigger]:
        """Those of its own name, then those of the one it has everywhere."""
        yield from self._of.get(event.name, ())
        if event.common_name != event.name:
            yield from self._of.get(event.common_name, ())

    def _given(self, trigger: Trigger, event: Event, bot: Bot) -> Arguments | None:
        """What the function is called with; None: the person was told what is wrong."""
        try:
            return trigger.arguments(event, self._takes)
        except Misfit as misfit:
            if event.name == DIALOG:
                self._tell_field(misfit, bot)
            elif isinstance(trigger, Commanded):
                self._tell_usage(misfit, trigger, bot)
            elif event.common_name == BUTTON:
                log.error("%s: its button gives nothing for %s", self.name, misfit)
                bot.refuse(_told(misfit, bot.locale))
            else:
                log.info("%s: %s", self.name, misfit)
            return None

    def _tell_field(self, misfit: Misfit, bot: Bot) -> None:
        name = "unfit field" if misfit.value else "missing"
        told = text(name, bot.locale, name=misfit.name)
        bot.refuse(**{misfit.name: told})

    def _tell_usage(self, misfit: Misfit, trigger: Commanded, bot: Bot) -> None:
        usage = f"`{trigger.title} {self._takes.usage}".rstrip() + "`"
        cure = text("usage", bot.locale, usage=usage)
        bot.answer(f"{_told(misfit, bot.locale)} {cure}")


def _told(misfit: Misfit, locale: str) -> str:
    if misfit.value is None:
        return text("missing", locale, name=misfit.name)
    name = "unfit" if misfit.name else "too much"
    value = misfit.value.replace("`", "'")[:60]
    return text(name, locale, name=misfit.name, value=value)
