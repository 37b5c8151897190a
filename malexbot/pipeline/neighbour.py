"""What is a messenger's own, beside the one whose posts the archive keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from malexbot.events import Event
from malexbot.pipeline.audience import Audience
from malexbot.pipeline.sight import Sight


class Neighbour(NamedTuple):
    """One messenger, as those see it who decide and act on its events."""

    audience: Audience
    now_ms: Callable[[], int]
    """Its clock; raises Transient while it has told no time, and does so soon."""
    complete: Callable[[Event], Event] = lambda event: event
    """What the messenger did not tell along, who people are, is asked when an event
    is acted on: raises nothing, takes seconds at worst.
    """
    sight: Sight = Sight()
    """What handlers of its events may look at."""
