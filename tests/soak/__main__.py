"""`python -m tests.soak [--events N]`: works for long, and tells what grows.

The daemon, PostgreSQL and Mattermost are processes of their own. Half of the events
are of no interest; a few percent are questions, edits and deletions. The exit code is
1 if the daemon's memory grows by more than 1 MB each 100 000 events, if its file
descriptors or threads do, or if something is not kept or not answered.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.stage import PATIENCE_S, NotFinished, Rows, Stage, Worker, stage
from tests.soak.growth import MOST_MB, PER_EVENTS, Sample, complaints, slope_mb
from tests.soak.talk import KEEP, RULE, Told, Town

EVENTS, EVERY = 1_000_000, 50_000
# So many happen at once; then all of it is waited for, so that nothing overflows.
AT_ONCE = 2_000
SETTLE_S = 60.0
_LOOK_S = 0.05
_SETTINGS = {
    "responses": [RULE],
    "workers": {"answers_per_minute": 1000},
    "mattermost": {
        "filter_messages_contains": [KEEP],
        "target_events_processors": {"posted": ["save", "response"]},
    },
}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    samples: list[Sample] = []
    wrong: list[str] = []
    with stage() as ready:
        for sample in soak(ready, options.events, options.every, wrong):
            samples.append(sample)
            print(
                f"{sample.events:>9} events  {sample.rss_mb:7.2f} MB"
                f"  {sample.fds:3} fds  {sample.threads:3} threads",
                flush=True,
            )
    print(f"{slope_mb(samples):+.3f} MB per {PER_EVENTS} events")
    wrong += complaints(samples, most_mb=options.most_mb, most_fds=options.most_fds)
    for complaint in wrong:
        print(complaint)
    return 1 if wrong else 0


def soak(ready: Stage, events: int, every: int, wrong: list[str]) -> Iterator[Sample]:
    """What the daemon holds, now and then; what is missing at the end is `wrong`."""
    with Town() as town, ready.database() as dsn, Rows(dsn) as rows:
        with ready.malexbot(town.place, dsn, **_SETTINGS) as worker:
            before = rows.count()
            for done in range(0, events, AT_ONCE):
                if done % every == 0:
                    yield _sample(worker, done)
                told = town.go_on(min(AT_ONCE, events - done))
                _wait(rows, told)
            yield _sample(worker, events)
            wrong += _missing(rows, told, before)
            print(f"{_count(rows, 'connections')} connections", flush=True)


def _sample(worker: Worker, events: int) -> Sample:
    fds = len(list(Path(f"/proc/{worker.pid}/fd").iterdir()))
    return Sample(events, worker.rss_mb, fds, worker.threads)


def _wait(rows: Rows, told: Told) -> None:
    """Until the last one is kept, and every question answered."""
    never, until = threading.Event(), time.monotonic() + PATIENCE_S
    kept, left = f"posts WHERE id = {told.marker!r}", "jobs WHERE finished_at IS NULL"
    while not _count(rows, kept) or _count(rows, left):
        if time.monotonic() > until:
            raise NotFinished(f"{told} was not done")
        never.wait(_LOOK_S)


def _missing(rows: Rows, told: Told, before: int) -> Iterator[str]:
    """The answers are kept too, once they came back; so is what a walk brings."""
    due = {"kept": told.kept + told.asked, "deleted": told.deleted}
    never, until = threading.Event(), time.monotonic() + SETTLE_S
    while (there := _there(rows, before)) != due and time.monotonic() < until:
        never.wait(_LOOK_S)
    for name in due:
        if there[name] != due[name]:
            yield f"{name}: {there[name]} instead of {due[name]}"


def _there(rows: Rows, before: int) -> dict[str, int]:
    deleted = _count(rows, "posts WHERE delete_at > 0")
    return {"kept": rows.count() - before, "deleted": deleted}


def _count(rows: Rows, what: str) -> int:
    return int(rows.ask(f"SELECT count(*) FROM {what}"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help=f"{EVENTS}")
    parser.add_argument(
        "--every", type=int, default=EVERY, help=f"how often it is looked at; {EVERY}"
    )
    parser.add_argument(
        "--most-mb",
        type=float,
        default=MOST_MB,
        help=f"how much the memory may grow; {MOST_MB}",
    )
    parser.add_argument(
        "--most-fds", type=int, default=0, help="how many more files may be open; 0"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
