"""The processor `route`: hands events on by the rules of the operator."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from malexbot.bus import SCHEMA, wire
from malexbot.config.routes import CHATS, TOLD, RouteRule, Routing, scheme_of
from malexbot.errors import Permanent
from malexbot.events import Event
from malexbot.ports import Bot, Occasion, Processor, Terms
from malexbot.rules import Condition, RuleFailed, Template

# VK knows a pressed button for a minute; what is left is for who answers.
BUTTON_S = 50.0
# What the targets of `routing.default` are told to have come by.
DEFAULT = "default"

_NAME = re.compile(r"[^\s:]\S{0,254}")


class Rule:
    """One rule, ready to be asked."""

    def __init__(self, rule: RouteRule) -> None:
        self.name = rule.name
        self.goes_on = rule.goes_on
        self.when = rule.when.strip()
        self._when = Condition(rule.when) if self.when else None
        self._to = [Template(target) for target in rule.to]
        self.text = Template(rule.text)

    def takes(self, event: Event) -> bool:
        """Yes: the event goes to its targets."""
        return self._when is None or self._when(event)

    @property
    def has_failed(self) -> bool:
        """Yes: its condition could not be worked out, which counts as no."""
        return self._when is not None and self._when.failures > 0

    def targets(self, event: Event) -> Sequence[str]:
        """Where to, each once, with all that is to be filled in; raises RuleFailed."""
        return [*dict.fromkeys(_target(each, event) for each in self._to)]


class Table:
    """All rules in their order, and what becomes of what none of them takes."""

    def __init__(self, rules: Sequence[RouteRule], routing: Routing) -> None:
        self.rules = [Rule(rule) for rule in rules]
        self.default = _default(routing)
        self.is_strict = routing.strict

    def takers(self, event: Event) -> Iterator[Rule]:
        """The rules that take it: the first, and if that goes on, those below."""
        is_taken = False
        for rule in self.rules:
            if rule.takes(event):
                is_taken = True
                yield rule
                if not rule.goes_on:
                    return
        if self.default and not is_taken:
            yield self.default


class Route(Processor):
    """Each target has its own job in its own lane: none waits for another."""

    name = "route"
    stands_by = True
    decides_again = True

    def __init__(
        self,
        rules: Sequence[RouteRule],
        routing: Routing,
        *,
        patience_s: Callable[[str], float] | None = None,
    ) -> None:
        """`patience_s` tells of a target how long it is tried."""
        self._table = Table(rules, routing)
        self._patience_s = patience_s or (lambda target: routing.give_up_after)
        self.max_age_s = routing.max_age

    def wants(self, event: Event, occasion: Occasion) -> bool:
        return self._table.is_strict or any(self._table.takers(routed(event)))

    def handle(self, event: Event, occasion: Occasion, bot: Bot) -> None:
        """All targets get it or none: what fails here is shown, and can be retried."""
        event = routed(event)
        takers = [*self._table.takers(event)]
        if not takers and self._table.is_strict:
            raise Permanent("no rule takes it, and routing.strict is set")
        done: set[str] = set()
        for rule in takers:
            for target in _sound(rule, event):
                if target not in done:
                    done.add(target)
                    terms = Terms(max_age_s=self._left_s(target, event, occasion))
                    _hand_on(event, target, rule, bot, terms)

    def _left_s(self, target: str, event: Event, occasion: Occasion) -> float:
        """How long it is tried; a stale button is a job that expires, so it counts."""
        left_s = self._patience_s(target)
        if event.button is None:
            return left_s
        return min(left_s, max(0.0, BUTTON_S - occasion.age_s))


def routed(event: Event) -> Event:
    """As rules see it: a slash command is a message, on every messenger."""
    return event if event.command is None else event._replace(message=event.said)


def _hand_on(event: Event, target: str, rule: Rule, bot: Bot, terms: Terms) -> None:
    scheme = scheme_of(target)
    if scheme in CHATS:
        return bot.tell(target, _said(scheme, event, rule), terms=terms)
    payload = {
        "to": target,
        "rule": rule.name,
        "id": event.event_id,
        "schema": SCHEMA,
        "event": wire(event),
    }
    # In a lane of their own, buttons wait behind no messages.
    lane = target if event.button is None else f"{target} (buttons)"
    bot.deliver(scheme, lane, payload, terms=terms)


def _sound(rule: Rule, event: Event) -> Sequence[str]:
    """Its targets; raises Permanent if one cannot be told."""
    try:
        return rule.targets(event)
    except RuleFailed as error:
        raise Permanent(f"the rule {rule.name!r}: {error}") from error


def _said(messenger: str, event: Event, rule: Rule) -> str:
    try:
        return rule.text.render(event, said_in=messenger)
    except RuleFailed as error:
        raise Permanent(f"the rule {rule.name!r}: {error}") from error


def _target(template: Template, event: Event) -> str:
    """What is filled in has no say in where it ends: it is one word, as written."""
    target = template.render(event)
    scheme, _, name = target.partition(":")
    if not _NAME.fullmatch(name) or not name.isprintable():
        raise RuleFailed(f"`{template.text}` comes to no name for this event")
    return target


def _default(routing: Routing) -> Rule | None:
    if not routing.default:
        return None
    to = routing.default
    return Rule(RouteRule.model_construct(name=DEFAULT, when="", to=to, text=TOLD))
