"""`malexbot jobs`: what is to be done, what could not be done, and what to do then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from malexbot.bus import wire
from malexbot.cli import main
from malexbot.cli.job_lines import described, table
from malexbot.events import Event
from malexbot.ports import Effect, Entry, Job, Parcel
from malexbot.storage.backlog import Backlog, JobView
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.jobs import DatabaseJobs
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from malexbot.storage.wire import to_json
from tests.cli.test_database import config, one_line
from tests.support.events import commanded, filled_in, posted, pressed

Run = Callable[..., Result]
REASON = "the server refused it:\nno such channel"


@pytest.fixture
def leadership(migrated_database: Dsn) -> Iterator[Leadership]:
    """The active daemon's."""
    taken = Leadership(migrated_database)
    assert taken.try_take()
    yield taken
    taken.close()


@pytest.fixture
def jobs(database: Database, leadership: Leadership) -> DatabaseJobs:
    """The first job is done, its message could not be sent; the second one waits."""
    events = [posted("p1", "what time is it?"), posted("p2", "\x1b[31mred")]
    entries = [Entry(event, keeps=True, processors=["answer"]) for event in events]
    DatabaseJournal(leadership).write([Parcel(entries=entries)])
    made = DatabaseJobs(database, epoch=lambda: leadership.epoch)
    (first,) = claim(made, "run")
    made.finish(first, [Effect("chat.post", "mattermost:c1", {"message": "noon"})])
    (send,) = claim(made, "chat.post")
    made.give_up(send, state="dead", reason=REASON)
    return made


def claim(jobs: DatabaseJobs, kind: str) -> list[Job]:
    return jobs.claim(kinds=[kind], limit=9, lease_s=60)


@pytest.fixture
def run(jobs: DatabaseJobs, database: Database, tmp_path: Path) -> Run:
    file = config(database.dsn, tmp_path / "malexbot.yaml")

    def invoke(verb: str, *args: object) -> Result:
        words = ["jobs", verb, "--config", str(file), *map(str, args)]
        return CliRunner().invoke(main, words)

    return invoke


def id_of(database: Database, state: str) -> int:
    return Backlog(database).list(state)[0].id  # type: ignore[arg-type]


def test_jobs_are_listed_a_line_each_but_for_those_that_are_done(run: Run) -> None:
    result = run("list")
    assert result.exit_code == 0
    heads, dead, ready = result.stdout.splitlines()
    assert heads.split() == ["ID", "STATE", "CREATED", "TRIES", "WHAT", "REASON"]
    assert "dead" in dead
    assert dead.endswith("chat.post mattermost:c1  " + " ".join(REASON.split()))
    assert ready.split()[1:2] + ready.split()[-2:] == ["ready", "run", "answer"]
    assert "\x1b" not in result.stdout
    assert result.stderr == ""


def test_a_state_and_a_limit_choose(run: Run) -> None:
    assert len(run("list", "--state", "all").stdout.splitlines()) == 4
    assert len(run("list", "--state", "all", "--limit", 1).stdout.splitlines()) == 2
    (done,) = json.loads(run("list", "--state", "done", "--json").stdout)
    assert (done["state"], done["event"]["message"]["text"]) == (
        "done",
        "what time is it?",
    )
    none = run("list", "--state", "expired")
    assert none.stdout == ""
    assert none.stderr == ("none is expired; all jobs: 1 ready, 1 done, 1 dead\n")


def test_a_terminal_shows_a_job_in_one_line(run: Run, database: Database) -> None:
    lines = list(table(Backlog(database).list(), 40))
    assert {len(line) for line in lines if "…" in line and "\x1b" not in line} == {40}
    assert any("\x1b[31mdead\x1b[0m" in line for line in lines)


def test_a_job_is_shown_with_what_to_do_about_it(run: Run, database: Database) -> None:
    dead = id_of(database, "dead")
    shown = run("show", dead).stdout
    assert shown.startswith(f"job {dead} could not be done (dead)\n")
    assert shown.endswith(f"when the reason is gone: malexbot jobs retry {dead}\n")
    assert "no such channel" in shown
    assert '{"message":"noon"}' in shown
    parsed = json.loads(run("show", dead, "--json").stdout)
    assert (parsed["payload"], parsed["event"]) == ({"message": "noon"}, None)


def test_what_somebody_wrote_does_not_steer_the_terminal(
    run: Run, database: Database
) -> None:
    shown = run("show", id_of(database, "ready")).stdout
    assert "[31mred" in shown
    assert "\x1b" not in shown


def test_a_dead_job_is_made_ready_again(
    run: Run, database: Database, jobs: DatabaseJobs
) -> None:
    dead = id_of(database, "dead")
    result = run("retry", dead)
    assert (result.exit_code, result.output) == (0, f"job {dead} is ready again\n")
    assert [job.id for job in claim(jobs, "chat.post")] == [dead]


def test_all_dead_jobs_are_made_ready_again(run: Run, database: Database) -> None:
    assert run("retry", "--all-dead").stdout == "dead jobs that are ready again: 1\n"
    assert Backlog(database).count()["dead"] == 0


def test_those_of_one_target_are_made_ready_again(run: Run, database: Database) -> None:
    assert "redis:a" not in run("list", "--of", "redis:a").stdout
    assert run("retry", "--all-dead", "--of", "redis:a").stdout.endswith(": 0\n")
    assert run("retry", "--all-expired").stdout.startswith("expired jobs that are")
    assert run("retry", "--all-dead", "--of", "chat.post").stdout.endswith(": 1\n")
    assert run("retry", 1, "--of", "chat.post").exit_code == 2


def test_who_retries_without_a_daemon_is_told(run: Run, leadership: Leadership) -> None:
    leadership.close()
    result = run("retry", "--all-dead")
    assert result.exit_code == 0
    assert "no daemon is active" in result.stderr


def test_a_job_is_dropped(run: Run, database: Database) -> None:
    ready = id_of(database, "ready")
    assert run("drop", ready).stdout == f"job {ready} is dropped\n"
    assert Backlog(database).count()["dropped"] == 1


def test_what_cannot_be_done_is_told_in_one_line(run: Run, database: Database) -> None:
    done, dead = id_of(database, "done"), id_of(database, "dead")
    assert one_line(run("show", 99)) == "malexbot: there is no job 99"
    assert one_line(run("retry", 99)) == "malexbot: there is no job 99"
    assert one_line(run("drop", done)) == f"malexbot: job {done} was done"
    mixed = run("retry", 99, dead)
    assert (mixed.exit_code, mixed.stdout) == (1, f"job {dead} is ready again\n")
    assert run("retry").exit_code == run("retry", 1, "--all-dead").exit_code == 2


def test_a_database_that_nobody_has_used_is_told(
    empty_database: Dsn, tmp_path: Path
) -> None:
    file = config(empty_database, tmp_path / "malexbot.yaml")
    result = CliRunner().invoke(main, ["jobs", "list", "--config", str(file)])
    assert "start the daemon first" in one_line(result)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (posted(text="what time is it?"), "what time is it?"),
        (commanded("prod now"), "/deploy prod now"),
        (pressed("rota.approve"), "pressed rota.approve"),
        (filled_in("rota.request"), "filled in rota.request"),
    ],
)
def test_what_somebody_asked_for_is_shown(event: Event, told: str) -> None:
    (line,) = [each for each in described(viewed(event)) if each.startswith("  text")]
    assert line.split(maxsplit=1)[1] == told


def test_what_a_rule_handed_on_is_shown_as_an_event() -> None:
    event = posted("p1", "hello")
    payload = {"rule": "rest", "event": wire(event), "id": "p1", "schema": 1}
    told = orjson.dumps(payload).decode()
    job = replace(viewed(event, told), kind="redis", name="redis:message", event=None)
    lines = [line.split(maxsplit=1) for line in described(job)]
    assert ["what", "redis:message"] in lines and ["rule", "rest"] in lines
    assert ["text", "hello"] in lines
    assert "redis:message" in [*table([job], None)][1]


def test_nobody_reads_a_file_in_a_job() -> None:
    text = "\n".join(described(viewed(posted(), payload="x" * 9_000_000)))
    assert len(text) < 5_000
    assert "… and 8996000 signs more: --json shows all" in text


def viewed(event: Event, payload: str = "") -> JobView:
    now = datetime.now(timezone.utc)
    return JobView(
        id=1,
        kind="run",
        name="answer",
        lane="lane",
        state="dead",
        attempts=1,
        reason="",
        event_id=event.event_id,
        event=to_json(event),
        payload=payload,
        parent=None,
        created_at=now,
        due_at=now,
        finished_at=now,
    )
