"""What is to be done with an event: pure, and decided before anything is durable."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from malexbot.errors import ANYTHING, Transient
from malexbot.events import OF_A_PERSON, Event, Id
from malexbot.pipeline.audience import Audience, Heard
from malexbot.pipeline.neighbour import Neighbour
from malexbot.ports import Entry, Occasion, Processor

log = logging.getLogger(__name__)

# What follows the life of a post that the archive may have: it needs no processor.
_LIFE = frozenset({"message", "edit", "delete", "reaction"})
# What may begin that life: a post that starts to match by an edit is kept from then.
_BIRTHS = frozenset({"message", "edit"})
# What comes to nobody but us: it is heard wherever it comes from.
ADDRESSED = OF_A_PERSON | {"hook", "tick"}
POSTED = "posted"
# So soon it is looked again whether it has.
AGAIN_S = 1.0


class Unaware(Transient):
    """The messenger has not told yet who the bot is, or who writes to it alone."""

    @property
    def retry_after_s(self) -> float:
        return AGAIN_S

    @property
    def is_of_target(self) -> bool:
        """It holds of all that came from there; who listens tells why."""
        return True


class _Course(NamedTuple):
    """The processors of one event name, by what they can do."""

    actors: Sequence[Processor] = ()
    lookers: Sequence[Processor] = ()


class _Plan:
    """What the settings of now make of the processors; it never changes."""

    __slots__ = ("courses", "keepers", "named", "offered")

    def __init__(self, processors: Mapping[str, Sequence[Processor]]) -> None:
        self.courses = {name: _course(these) for name, these in processors.items()}
        self.keepers = [
            processor
            for processor in processors.get(POSTED, ())
            if _does(processor, "keeps")
        ]
        self.named = {
            each.name: each for these in processors.values() for each in these
        }
        # What is named at no event is for every messenger's.
        self.offered = {
            name: _course([p for p in these if name in p.events and not p.is_at_home])
            for name, these in processors.items()
        }

    def course(self, event: Event) -> _Course:
        """Who may have to do with it."""
        found = self.courses.get(event.name, _NOBODY)
        common = event.common_name
        if common == event.name:
            return found
        offered = self.offered.get(common, _NOBODY)
        return _Course(
            actors=[*dict.fromkeys((*found.actors, *offered.actors))],
            lookers=[*dict.fromkeys((*found.lookers, *offered.lookers))],
        )


class Decider:
    """Who wants an event, and whether the archive keeps its post."""

    def __init__(
        self,
        *,
        processors: Mapping[str, Sequence[Processor]],
        audience: Audience,
        server_now_ms: Callable[[], int],
        is_wanted: Callable[[Event], bool] = lambda event: True,
        neighbours: Mapping[str, Neighbour] | None = None,
    ) -> None:
        """`is_wanted`: no keeps the event from the archive, whatever processors say.

        Of `neighbours`, by their names, the archive keeps nothing.
        """
        self._plan = _Plan(processors)
        self._home = Neighbour(audience, server_now_ms)
        self._is_wanted = is_wanted
        self._neighbours = neighbours or {}
        self._failed: set[str] = set()

    def adopt(self, processors: Mapping[str, Sequence[Processor]]) -> None:
        """From now on these decide; who is deciding ends with those of before."""
        self._plan = _Plan(processors)
        self._failed.clear()

    def processor(self, name: str) -> Processor | None:
        """Who acts under this name, if the settings of now have him."""
        return self._plan.named.get(name)

    @property
    def longest_age_s(self) -> float:
        """No event that is older is acted on."""
        ages = (
            actor.max_age_s
            for course in self._plan.courses.values()
            for actor in course.actors
        )
        return max(ages, default=0.0)

    def decide(self, event: Event) -> Entry | Event | None:
        """What intake writes of it; None if nobody wants to know.

        A post that only moves the mark of its channel comes back as it is.
        """
        if event.source in self._neighbours:
            return self._decide_aside(event)
        heard = self._home.audience.now
        channel = event.peer.bpid
        is_heard = not channel or channel in heard.channels
        is_heard = is_heard or event.event_type in ADDRESSED
        plan = self._plan
        course = plan.courses.get(event.name, _NOBODY)
        wanted: Sequence[str] = ()
        if course.actors:
            is_direct = heard.is_direct(event)
            if is_heard or is_direct:
                wanted = self._actors(event, course, heard, is_direct)
        if not is_heard:
            return Entry(event, False, wanted) if wanted else None
        is_life = event.event_type in _LIFE and self._is_wanted(event)
        keeps = is_life and _keeps(plan, event)
        if keeps or wanted or course.lookers:
            return Entry(event, keeps, wanted)
        if not is_life:
            return None
        return event if _is_new(event) else Entry(event, False)

    def _decide_aside(self, event: Event) -> Entry | None:
        """A neighbour's: it is heard wherever it comes from, and is not archived."""
        heard, course = self._messenger(event).audience.now, self._plan.course(event)
        wanted: Sequence[str] = ()
        if course.actors:
            wanted = self._actors(event, course, heard, heard.is_direct(event))
        is_seen = wanted or course.lookers
        return Entry(event, False, wanted, is_archived=False) if is_seen else None

    def lookers(self, event: Event) -> Sequence[Processor]:
        """Who is shown the event once it is durable."""
        if event.source in self._neighbours:
            return self._plan.course(event).lookers
        return self._plan.courses.get(event.name, _NOBODY).lookers

    def age_s(self, event: Event) -> float:
        """By the server's clock; an event from its future is new."""
        now_ms = self._messenger(event).now_ms
        return max(0, now_ms() - event.occurred_at) / 1000

    def age_ms(self, occurred_at: int) -> int:
        """Of what the archive's messenger tells."""
        return max(0, self._home.now_ms() - occurred_at)

    def occasion(self, event: Event, actor: Processor) -> Occasion:
        """What there is to know of it, now; raises Unaware if an answer needs more."""
        heard = self._messenger(event).audience.now
        is_said = actor.answers and event.event_type not in ADDRESSED
        if is_said and not heard.tells_of(event):
            told = "has not told yet who the bot is, and who writes to it alone"
            raise Unaware(f"{event.source} {told}")
        is_direct, is_mention = heard.is_direct(event), heard.is_named_in(event)
        return Occasion(self.age_s(event), is_direct, is_mention)

    def _messenger(self, event: Event) -> Neighbour:
        return self._neighbours.get(event.source, self._home)

    def _actors(
        self, event: Event, course: _Course, heard: Heard, is_direct: bool
    ) -> Sequence[str]:
        occasion = Occasion(self.age_s(event), is_direct, heard.is_named_in(event))
        is_mute = _is_mute(event, heard.own_id)
        is_bare = event.source in self._neighbours and not event.data.get("enriched")
        return [
            actor.name
            for actor in course.actors
            if occasion.age_s <= actor.max_age_s
            and not (is_mute and actor.answers)
            and (self._wants(actor, event, occasion) or is_bare and actor.decides_again)
        ]

    def _wants(self, actor: Processor, event: Event, occasion: Occasion) -> bool:
        """A fault of one processor is its no: the others and the archive go on."""
        try:
            return actor.wants(event, occasion)
        except ANYTHING:
            if actor.name not in self._failed:
                told = "the processor %s fails, that counts as no; told once"
                log.error(told, actor.name, exc_info=True)
            self._failed.add(actor.name)
            return False


_NOBODY = _Course()


def _keeps(plan: _Plan, event: Event) -> bool:
    if event.event_type not in _BIRTHS or event.post is None:
        return False
    if event.post.is_old_version or event.post.delete_at:
        return False
    for keeper in plan.keepers:
        if keeper.keeps(event):
            return True
    return False


def _is_new(event: Event) -> bool:
    """Yes: nothing of it can be in the archive, but by the same event."""
    post = event.post
    return (
        post is not None
        and event.name == POSTED
        and not (post.edit_at or post.delete_at or post.original_id)
        and post.update_at <= post.create_at
    )


def _course(processors: Sequence[Processor]) -> _Course:
    return _Course(
        actors=[p for p in processors if _does(p, "wants")],
        lookers=[p for p in processors if _does(p, "look")],
    )


def _does(processor: Processor, method: str) -> bool:
    """Yes: it does more there than the base, which does nothing."""
    return getattr(type(processor), method) is not getattr(Processor, method)


def _is_mute(event: Event, own_id: Id) -> bool:
    """Yes: nobody answers this: we wrote it, or the server did, or it is gone.

    While the messenger does not know who we are, it may all be ours; but what comes to
    nobody but us is not: a post of ours that calls us is turned away at the door.
    """
    if event.event_type in ADDRESSED:
        return False
    if not own_id or event.user.uuid == own_id:
        return True
    post = event.post
    return post is not None and (
        post.is_system or post.is_old_version or post.delete_at > 0
    )
