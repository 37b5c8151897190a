"""The runs: a processor acts on an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from malexbot.errors import Permanent
from malexbot.events import OF_A_PERSON, Event
from malexbot.pipeline.decider import ADDRESSED, Decider
from malexbot.pipeline.desk import Desk
from malexbot.pipeline.effects import DIALOG, LONGEST_TEXT, Collector
from malexbot.pipeline.guard import LoopGuard
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.neighbour import Neighbour
from malexbot.pipeline.phrases import ENGLISH, Key, phrase
from malexbot.pipeline.reply import ANSWER, ANSWER_LIVES_S, Reply, excuse
from malexbot.pipeline.sight import Sight
from malexbot.pipeline.verdicts import Done, Ended, Expired
from malexbot.ports import (
    Chat,
    Effect,
    GiveBack,
    Grants,
    Job,
    PostKnown,
    Processor,
    Write,
)

RUN = "run"
# How long after the event it is tried: what a dialog opens by is known to a server for
# three seconds to half a minute.
_LIVES_S = {ANSWER: ANSWER_LIVES_S, DIALOG: 30.0}


class ProcessorRuns:
    """The handler of "run".

    What is pressed is used up before its handler runs; a run that was cut off finds
    that it has it already. So of two who press at once one acts.
    """

    def __init__(
        self,
        *,
        decider: Decider,
        chats: Mapping[str, Chat],
        guard: LoopGuard,
        desk: Desk | None = None,
        grants: Grants | None = None,
        sight: Sight | None = None,
        neighbours: Mapping[str, Neighbour] | None = None,
    ) -> None:
        """Without a desk nobody waits; without grants, nothing can be pressed."""
        self._decider = decider
        self._chats = chats
        self._guard = guard
        self._desk = desk
        self._grants = grants
        self._sight = sight or Sight()
        self._neighbours = neighbours or {}

    def __call__(self, job: Job, hold: Hold) -> Done:
        processor = self._decider.processor(job.name)
        if processor is None or job.event is None:
            raise Permanent(f"no processor {job.name!r} is configured")
        event = job.event
        is_by_hand = bool(job.payload.get("by_hand"))
        if self._desk and not is_by_hand:
            self._desk.begin(event.event_id)
        _require_whole(processor, job)
        left_s = self._left_s(processor, event, is_by_hand=is_by_hand)
        if neighbour := self._neighbours.get(event.source):
            event = neighbour.complete(event)
        if not processor.stands_by and not self._takes(event):
            return Done(self._excuse(event, "taken").effects, "was taken already")
        bot = self._bot(event, processor, hold)
        processor.handle(event, self._decider.occasion(event, processor), bot)
        return self._done(job, event, bot, left_s)

    def amends(self, job: Job, ended: Ended) -> Ended:
        """Who asked is told that it went wrong, and may ask again."""
        event = job.event
        if job.kind == DIALOG:
            return self._unopened(job, ended)
        if event is None or event.event_type not in OF_A_PERSON:
            return ended
        processor = self._decider.processor(job.name)
        if processor is not None and processor.stands_by:
            return ended
        if self._desk and self._desk.has_turned_away(event.event_id):
            return ended
        reply = self._excuse(event, "failed")
        reply.give_back()
        return ended._replace(effects=reply.effects, writes=reply.writes)

    def _unopened(self, job: Job, ended: Ended) -> Ended:
        """Who waits for a dialog sees nothing else of its being too late."""
        told = job.payload.get("asked")
        if not told:
            return ended
        text = phrase("unopened", self._sight.locale(told["user_id"]))
        answer = excuse(told, text, job.name.removesuffix("/dialog"))
        ref, event_id = str(told["ref"]), str(told["event_id"])
        writes = [GiveBack(ref, event_id)] if ref else []
        return ended._replace(effects=[answer], writes=writes)

    def _done(self, job: Job, event: Event, bot: Collector, left_s: float) -> Done:
        age_s = self._decider.age_s(event)
        effects = [_timed(each, age_s, left_s) for each in bot.effects]
        admitted = self._admit(job, effects)
        held_back = len(effects) - len(admitted)
        note = f"{held_back} answers held back" if held_back else ""
        return Done(admitted, note, [*bot.writes, *_seen(event)])

    def _left_s(self, processor: Processor, event: Event, *, is_by_hand: bool) -> float:
        """How long the event may still be acted on; raises Expired if no longer."""
        age_s = self._decider.age_s(event)
        left_s = processor.max_age_s - (0.0 if is_by_hand else age_s)
        if left_s < 0:
            raise Expired(f"it happened {age_s:.0f} s ago, that is too old")
        return left_s

    def _takes(self, event: Event) -> bool:
        """Yes: what was pressed is this event's own."""
        ref = event.data.get("ref")
        if not ref or self._grants is None:
            return True
        return self._grants.take(str(ref), event_id=event.event_id)

    def _bot(self, event: Event, processor: Processor, hold: Hold) -> Collector:
        return Collector(
            event,
            processor=processor,
            check=hold.check,
            longest_text=self._longest_text,
            sight=self._sight_of(event),
        )

    def _longest_text(self, messenger: str) -> int:
        chat = self._chats.get(messenger)
        return chat.longest_text if chat else LONGEST_TEXT

    def _sight_of(self, event: Event) -> Sight:
        neighbour = self._neighbours.get(event.source)
        return neighbour.sight if neighbour else self._sight

    def _excuse(self, event: Event, key: Key) -> Reply:
        user = event.user.uuid
        locale = self._sight_of(event).locale
        reply = Reply(event)
        reply.fail(phrase(key, locale(user) if user else ENGLISH))
        return reply

    def _admit(self, job: Job, effects: Sequence[Effect]) -> Sequence[Effect]:
        """What no message has caused is no loop."""
        event = job.event
        if event and event.event_type in ADDRESSED and event.message is None:
            return effects
        return self._guard.admit(effects, job_id=job.id)


def _require_whole(processor: Processor, job: Job) -> None:
    """Raises Permanent for what is to be done once, and was cut off before its end."""
    if processor.once and job.attempts - job.failures > 1:
        raise Permanent("interrupted: it is done once only, and may be half done")


def _seen(event: Event) -> Sequence[Write]:
    """What is pressed is there: its send may not know that yet, and what is updated
    now has lost the mark that it would be looked for by.
    """
    ref = event.data.get("ref")
    if not event.button or not ref:
        return ()
    return (PostKnown((str(ref),), str(event.button.cmid)),)


def _timed(effect: Effect, age_s: float, left_s: float) -> Effect:
    """What is said to an event grows old with it, unless it says otherwise."""
    if effect.terms.max_age_s is not None:
        return effect
    lives_s = _LIVES_S.get(effect.kind)
    max_age_s = left_s if lives_s is None else max(0.0, lives_s - age_s)
    return replace(effect, terms=effect.terms._replace(max_age_s=max_age_s))
