"""The processor `response`: answers by the rules of the operator."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence

from malexbot.config.responses import ResponseRule
from malexbot.events import Event
from malexbot.ports import Bot, Occasion, Processor, Terms
from malexbot.rules import Condition, RuleFailed, Template

log = logging.getLogger(__name__)


class Response(Processor):
    """Every rule that fits answers, in the order in which they are written."""

    name = "response"
    decides_again = True

    def __init__(self, rules: Sequence[ResponseRule]) -> None:
        self._rules = [Rule(rule) for rule in rules]
        self.max_age_s = max((rule.max_age for rule in rules), default=0.0)

    def wants(self, event: Event, occasion: Occasion) -> bool:
        return any(rule.fits(event, occasion) for rule in self._rules)

    def handle(self, event: Event, occasion: Occasion, bot: Bot) -> None:
        for rule in self._rules:
            if rule.fits(event, occasion):
                rule.answer(event, occasion, bot)


class Rule:
    """One rule, ready to be asked."""

    def __init__(self, rule: ResponseRule) -> None:
        self._rule = rule
        self._when = Condition(rule.when) if rule.when else None
        self._reply = Template(rule.reply) if rule.reply else None
        self._id = _fingerprint(rule)
        self._has_failed = False

    def fits(self, event: Event, occasion: Occasion) -> bool:
        """Yes: it answers this event, in this place, at this age."""
        rule = self._rule
        if occasion.age_s > rule.max_age or occasion.is_direct > rule.direct:
            return False
        if event.post is not None and event.post.by_bot > rule.bots:
            return False
        return self._when is None or self._when(event)

    def answer(self, event: Event, occasion: Occasion, bot: Bot) -> None:
        terms = self._terms(event, occasion)
        if self._rule.react and (event.message or event.reaction):
            bot.react(self._rule.react, terms=terms)
        if self._reply:
            self._say(self._reply, event, bot, terms)

    def _say(self, reply: Template, event: Event, bot: Bot, terms: Terms) -> None:
        try:
            text = reply.render(event, said_in=event.source)
        except RuleFailed as error:
            # The other rules still answer. The operator is told once.
            if not self._has_failed:
                log.error(
                    "response to %s, and maybe to more: %s", event.event_id, error
                )
            self._has_failed = True
        else:
            bot.reply(text, thread=self._rule.thread, terms=terms)

    def _terms(self, event: Event, occasion: Occasion) -> Terms:
        """The queue remembers what was said, so a restart forgets no cooldown."""
        left_s = self._rule.max_age - occasion.age_s
        if not self._rule.cooldown:
            return Terms(max_age_s=left_s)
        key = f"response:{self._id}:{event.source}:{event.peer.bpid}"
        return Terms(left_s, key, self._rule.cooldown)


def _fingerprint(rule: ResponseRule) -> str:
    """A rule that is moved in the list keeps it, one that is changed does not."""
    text = repr((rule.when, rule.reply, rule.react))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
