"""Daemons with a planted bug, to see that the runner finds it.

Each is the hasty daemon, with one part of it replaced by one that is broken.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from malexbot.cli.run import leave, serve
from malexbot.messengers.mattermost import edits, sweep, walks
from malexbot.pipeline import sends
from malexbot.storage import grants, marks, session
from malexbot.storage.dsn import Dsn
from malexbot.storage.statement import Statement
from tests.faults.hasty import hurry, mistake_the_time

# Raised by whatever comes live, as if nothing could be missing before it.
_EAGER = Statement(
    "move_live_marks",
    """
UPDATE channels c SET mark_id = live.post_id, mark_at = live.create_at,
  filled_for = greatest(c.filled_for, live.connection),
  edits_until = greatest(c.edits_until, live.create_at)
FROM json_to_recordset(%(live)s::json) AS live (
  source text, channel_id text, connection bigint, post_id text, create_at bigint
)
WHERE c.source = live.source AND c.channel_id = live.channel_id
  AND c.mark_at < live.create_at
""",
)


def a_mark_moves_past_a_gap() -> None:
    marks._LIVE = _EAGER


def no_look_up_before_a_repeated_send() -> None:
    class Blind(sends.ChatPosts):
        def _find(self, *_: object) -> None:
            """Nothing was ever sent, it believes."""

    sends.ChatPosts = Blind  # type: ignore[misc]


def no_overlap() -> None:
    """Each walk begins where the one before ended, to the millisecond."""
    for module in (walks, edits, sweep):
        module.OVERLAP_MS = 0  # type: ignore[attr-defined]
    defaults = walks.CatchUp.__init__.__kwdefaults__
    assert defaults is not None
    defaults["overlap_ms"] = 0


def a_button_is_never_used_up() -> None:
    """Of two who press at once both act."""

    class Endless(grants.DatabaseGrants):
        def take(self, ref: str, *, event_id: str) -> bool:
            return True

    grants.DatabaseGrants = Endless  # type: ignore[misc]


def a_thread_leaks() -> None:
    def begin(dsn: Dsn) -> object:
        thread = threading.Thread(target=threading.Event().wait, daemon=True)
        thread.start()
        return thread

    _leak_with_each_session(begin)


def a_file_leaks() -> None:
    _leak_with_each_session(lambda dsn: open(os.devnull))


def a_line_leaks() -> None:
    _leak_with_each_session(lambda dsn: session._connect(dsn, "leaked"))


def _leak_with_each_session(begin: Callable[[Dsn], object]) -> None:
    """One thing more for each line to the database that is opened anew."""
    leaked: list[object] = []
    as_it_is = session.Session.__init__

    def leaking(self: session.Session, dsn: Dsn, *, name: str = "malexbot") -> None:
        as_it_is(self, dsn, name=name)
        leaked.append(begin(dsn))

    session.Session.__init__ = leaking  # type: ignore[method-assign]


LEAKS = {
    plant.__name__: plant for plant in (a_thread_leaks, a_file_leaks, a_line_leaks)
}
BUGS: dict[str, Callable[[], None]] = {
    plant.__name__: plant
    for plant in (
        a_mark_moves_past_a_gap,
        no_look_up_before_a_repeated_send,
        no_overlap,
        a_button_is_never_used_up,
    )
}


def program(*bugs: str) -> tuple[str, ...]:
    """The command line of such a daemon."""
    module = f"{__package__}.{Path(__file__).stem}"
    return (sys.executable, "-m", module, ",".join(bugs))


if __name__ == "__main__":
    hurry()
    mistake_the_time()
    for bug in sys.argv[1].split(","):
        (BUGS | LEAKS)[bug]()
    # The composition is imported by now or later: it takes the parts from their rooms.
    leave(serve(Path(sys.argv[3])))
