"""What the end of a job writes beside its effects; all that, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from malexbot.ports import (
    Effect,
    End,
    GiveBack,
    Grant,
    Job,
    PostKnown,
    Put,
    Seen,
    Write,
)
from malexbot.storage import grants, store
from malexbot.storage.plain import to_json
from malexbot.storage.readable import readable
from malexbot.storage.statement import Statement

# What `require_lease` and `require_versions` raise.
NOT_OURS = "MX002"
CHANGED = "MX003"

# The end itself tells only afterwards that the job was somebody else's.
_REQUIRE_LEASE = Statement(
    "require_lease", "SELECT require_lease(%(id)s, %(epoch)s, %(attempts)s)"
)

# Nobody has begun them: they were behind the one whose lease this is.
_END_ALONG = Statement(
    "end_along",
    """
UPDATE jobs SET state = told.state, reason = told.reason, attempts = attempts + 1,
  started_at = clock_timestamp(), finished_at = clock_timestamp()
FROM json_to_recordset(%(along)s) AS told (job_id bigint, state text, reason text)
WHERE jobs.id = told.job_id AND jobs.state = 'ready'
""",
)

Step = tuple[Statement, Mapping[str, object]]


class Beside(NamedTuple):
    """What is said before the end of a job, and under which locks."""

    statements: Sequence[Statement] = ()
    terms: Mapping[str, object] = {}
    locks: frozenset[str] = frozenset()


NOTHING = Beside()


def beside(
    job: Job,
    effects: Sequence[Effect],
    writes: Sequence[Write],
    along: Sequence[End] = (),
) -> Beside:
    """Raises Unstorable for what a handler gave that nobody can keep."""
    granted = [grant for effect in effects for grant in effect.grants]
    if not granted and not writes and not along:
        return NOTHING
    steps = [*_granting(job, granted), *_writing(writes), *_ending(along)]
    terms: dict[str, object] = {}
    for _, given in steps:
        terms |= given
    spaces = (write.space for write in writes if isinstance(write, Put | Seen))
    return Beside(
        [_REQUIRE_LEASE, *(statement for statement, _ in steps)],
        terms,
        frozenset(map(store.space_lock, spaces)),
    )


def _ending(along: Sequence[End]) -> Iterator[Step]:
    if along:
        told = [each._replace(reason=readable(each.reason)) for each in along]
        yield _END_ALONG, {"along": to_json([each._asdict() for each in told])}


def _granting(job: Job, granted: Sequence[Grant]) -> Iterator[Step]:
    """Of an effect that is left out as quiet nobody will ever see what is granted."""
    if granted:
        caused_by = str(job.event.user.uuid) if job.event else ""
        yield grants.MAKE, grants.made(granted, caused_by=caused_by)


def _writing(writes: Sequence[Write]) -> Iterator[Step]:
    if read := [write for write in writes if isinstance(write, Put | Seen)]:
        yield store.REQUIRE, store.seen(read)
    if puts := [write for write in writes if isinstance(write, Put)]:
        yield store.PUT, store.puts(puts)
    if back := [write for write in writes if isinstance(write, GiveBack)]:
        yield grants.LOCK_GIVEN_BACK, (given_back := grants.given_back(back))
        yield grants.GIVE_BACK, given_back
    if known := [write for write in writes if isinstance(write, PostKnown)]:
        yield grants.KNOW_POSTS, grants.known(known)
