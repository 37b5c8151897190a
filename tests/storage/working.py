"""Ways to give, take and age jobs in a test."""

from __future__ import annotations

from collections.abc import Sequence

from malexbot.ports import Job
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from tests.storage.conftest import Look
from tests.storage.happenings import acted_on, post, posted

RUN = ("run",)


def offer(journal: DatabaseJournal, *names: str) -> None:
    """A job each; "b3" is the third of lane b."""
    events = [posted(post(name, channel_id=name[0])) for name in names]
    journal.write([acted_on(*events)])


def claim(jobs: DatabaseJobs, limit: int = 10, lease_s: float = 60) -> list[Job]:
    return jobs.claim(kinds=RUN, limit=limit, lease_s=lease_s)


def ids(claimed: Sequence[Job]) -> list[str]:
    return [job.event.event_id for job in claimed if job.event]


def pass_time(look: Look, seconds: float) -> None:
    """For the jobs the clock has gone on."""
    times = ("due_at", "expires_at", "failing_since", "sending_at", "created_at")
    moved = ", ".join(f"{t} = {t} - {seconds} * interval '1 second'" for t in times)
    look(f"UPDATE jobs SET {moved}")
