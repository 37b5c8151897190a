"""What is wrong in each state of daemon, database and Mattermost, and its cure."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import Result

from malexbot import __version__
from malexbot.cli import survey
from malexbot.cli.report import summary
from malexbot.config.model import Config
from malexbot.runtime.health import Health
from malexbot.storage.dsn import Dsn
from malexbot.storage.leadership import Leadership
from malexbot.web import status as page
from tests.cli.conftest import Execute, Run, Server
from tests.support.settings import free_port
from tests.web.test_server import serving

CHANNELS = """
INSERT INTO channels
  (source, channel_id, name, display_name, mark_at, last_post_at, is_history_done)
SELECT 'mattermost', 'c' || n, 'town-' || n, 'Town ' || n, 100000, 100000, true
FROM generate_series(1, 3) n
"""
GAP = "INSERT INTO gaps (source, channel_id, kind, reason) VALUES ('mattermost', "
DEAD = """
INSERT INTO jobs (kind, name, lane, state, finished_at)
VALUES ('run', 'response', 'c1', 'dead', now())
"""


def told(result: Result) -> list[str]:
    """The summary and the cures: all before the facts."""
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.stderr == ""
    return result.stdout.partition("\n\n")[0].splitlines()


def ill(result: Result) -> tuple[str, str]:
    """The one thing that is wrong, and what to do."""
    assert result.exit_code == 1
    what, cure = told(result)
    assert what.startswith("malexbot is not well: ") and cure.startswith("  -> ")
    return what.removeprefix("malexbot is not well: "), cure.removeprefix("  -> ")


# All is well.


def test_a_daemon_that_is_well(
    status: Run, serve: Server, active: Leadership, execute: Execute
) -> None:
    execute(CHANNELS)
    result = status(port=serve(events_total=12))
    assert told(result) == ["malexbot is well: connected, 3 channels, nothing waits"]
    assert result.exit_code == 0
    assert "\nconnection   number 7, resumed 2 times: up\n" in result.stdout
    assert "12 came in" in result.stdout
    assert "\nopen gaps    none\n" in result.stdout


def test_what_waits_is_told(
    status: Run, serve: Server, active: Leadership, execute: Execute
) -> None:
    execute(
        CHANNELS,
        "INSERT INTO jobs (kind, name, lane) VALUES ('run', 'response', 'c1')",
        "UPDATE channels SET last_post_at = 400000 WHERE channel_id = 'c2'",
    )
    result = status(port=serve(intake_waiting=2))
    assert told(result) == [
        "malexbot is well: connected, 3 channels, 1 being read,"
        " 2 events and 1 job waiting"
    ]
    assert "\n  lags 5 min   Town 2 (c2)\n" in result.stdout
    assert "Town 1" not in result.stdout


def test_all_shows_every_channel(
    status: Run, serve: Server, active: Leadership, execute: Execute
) -> None:
    execute(CHANNELS)
    shown = status("--all", port=serve()).stdout
    for n in (1, 2, 3):
        assert f"\n  up to date   Town {n} (c{n})\n" in shown


def test_the_active_daemon_may_be_on_another_machine(
    status: Run, active: Leadership, execute: Execute
) -> None:
    execute("UPDATE daemon SET host = 'other'")
    result = status()
    assert told(result) == [
        "malexbot is well: active on other, ask there for more, 0 channels,"
        " nothing waits"
    ]
    assert result.exit_code == 0


# The daemon.


def test_a_daemon_that_does_not_run(status: Run) -> None:
    port = free_port()
    what, cure = ill(status(port=port))
    assert what == (
        f"the daemon does not run (asked at 127.0.0.1:{port}: nothing listens there)"
    )
    assert cure.startswith("systemctl start malexbot")


def test_a_daemon_that_hangs(
    status: Run, active: Leadership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey, "PATIENCE_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        what, cure = ill(status(port=silent.getsockname()[1]))
    assert "is active, but does not answer on" in what
    assert "no answer within" in what
    assert "USR1" in cure and "systemctl restart malexbot" in cure


def test_an_active_daemon_with_another_port(status: Run, active: Leadership) -> None:
    what, cure = ill(status())
    assert "is active, but does not answer on" in what
    assert cure.startswith("has it another configuration?")


def test_another_program_on_the_port(status: Run, active: Leadership) -> None:
    with serving() as (server, _):
        what, _ = ill(status(port=(server.address or ("", 0))[1]))
    assert what.endswith("what answers there is no malexbot")


def test_a_port_that_nobody_knows(status: Run, active: Leadership) -> None:
    assert "backend.port is 0" in ill(status(port=0))[0]


def test_an_older_version_still_runs(
    status: Run, serve: Server, active: Leadership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "__version__", "0.0.9")
    what, cure = ill(status(port=serve()))
    assert what == f"version 0.0.9 runs, {__version__} is installed"
    assert cure == "systemctl restart malexbot"


def test_a_part_that_is_ill_is_told_in_its_words(
    status: Run, serve: Server, active: Leadership, health: Health
) -> None:
    health.tell("intake", "cannot write: disk full", is_ready=False)
    what, cure = ill(status(port=serve()))
    assert what == "intake: cannot write: disk full"
    assert cure.startswith("journalctl")


def test_a_refused_reload(
    status: Run, serve: Server, active: Leadership, health: Health
) -> None:
    health.tell("reload", "refused, see the log", is_ready=True)
    what, cure = ill(status(port=serve()))
    assert "the old settings count" in what
    assert cure.startswith("malexbot check;")


def test_a_workstream_log_that_is_not_taken(
    status: Run, serve: Server, active: Leadership, health: Health
) -> None:
    health.tell("workstream", "tells tcp:log:7560", is_ready=True)
    port = serve(workstream_told_total=5, workstream_dropped_total=12)
    result = status(port=port)
    assert result.exit_code == 0
    assert "\nworkstream   5 told, 12 dropped: tells tcp:log:7560\n" in result.stdout
    health.tell("workstream", "drops records, tcp:log:7560: 406", is_ready=True)
    what, cure = ill(status(port=port))
    assert what == "the workstream log does not reach tcp:log:7560: 406 (12 dropped)"
    assert "workstream.to" in cure
    health.tell("workstream", "drops records, redis:log: WRONGPASS no", is_ready=True)
    _, cure = ill(status(port=port, workstream={"to": "redis:log"}, redis={}))
    assert "redis.username and redis.password of" in cure


@pytest.mark.parametrize("name", ["redis", "http:moderation"])
def test_a_target_that_is_away(
    status: Run, serve: Server, active: Leadership, health: Health, name: str
) -> None:
    health.tell(name, "away since 12:03:07: no connection", is_ready=True)
    what, cure = ill(status(port=serve()))
    assert what == f"{name} is away since 12:03:07: no connection"
    block = name.replace(":", ".")
    assert f"look at {block}.url of " in cure
    away = "away since 12:03:07: its certificate is not trusted: self-signed"
    health.tell(name, away, is_ready=True)
    _, cure = ill(status(port=serve()))
    assert f"look at {block}.ca_file of " in cure


def test_streams_that_nobody_can_cut_tell_of_a_redis_that_is_away(
    status: Run, serve: Server, active: Leadership, health: Health
) -> None:
    health.tell("streams", "not cut: Redis: Connection refused", is_ready=True)
    what, cure = ill(status(port=serve()))
    assert what == "streams are not cut: Redis: Connection refused"
    assert "look at redis.url of " in cure
    health.tell("redis", "away since 12:03:07: Connection refused", is_ready=True)
    assert ill(status(port=serve()))[0].startswith("redis is away")


def test_a_daemon_on_another_database(
    status: Run, serve: Server, empty_database: Dsn, health: Health
) -> None:
    port = serve()
    for dsn in (empty_database, None):
        what, cure = ill(status(port=port, **({"dsn": dsn} if dsn else {})))
        assert what == f"the daemon on 127.0.0.1:{port} works on another database"
        assert cure.endswith("systemctl restart malexbot")
    health.tell("daemon", "standby", is_ready=False)
    assert ill(status(port=port))[0] == "daemon: standby"


# Mattermost.


def test_mattermost_is_down(
    status: Run, serve: Server, active: Leadership, health: Health
) -> None:
    health.tell("mattermost", "down: connection refused", is_ready=False)
    what, cure = ill(status(port=serve()))
    assert what == "not connected: connection refused"
    assert cure.endswith("curl http://chat.example.org/api/v4/system/ping")


def test_a_daemon_that_has_just_been_started(
    status: Run, serve: Server, active: Leadership, health: Health
) -> None:
    health.tell("mattermost", "connects", is_ready=False)
    assert ill(status(port=serve()))[0] == "not connected yet"


def test_mattermost_refuses_the_token(
    status: Run, serve: Server, active: Leadership, health: Health
) -> None:
    health.tell("mattermost", "unauthorised: 401", is_ready=False)
    health.tell("backfill", "unauthorised", is_ready=False)
    what, cure = ill(status(port=serve()))
    assert what == "Mattermost does not let us in: unauthorised: 401"
    assert "mattermost.token" in cure and "malexbot.yaml" in cure
    assert cure.endswith("systemctl restart malexbot")


# The database.


def nowhere() -> Dsn:
    return Dsn(host="127.0.0.1", user="ann", dbname="chat", port=free_port())


def test_the_database_is_away_and_is_told_once(
    status: Run, serve: Server, health: Health
) -> None:
    for part in ("daemon", "intake", "lanes"):
        health.tell(part, "no database", is_ready=False)
    away = nowhere()
    what, cure = ill(status(port=serve(), dsn=away))
    assert what.startswith("the database tells nothing: ")
    assert cure == f"pg_isready -h 127.0.0.1 -p {away.port} -d chat"


def test_a_database_that_somebody_has_to_make(
    status: Run, serve: Server, migrated_database: Dsn
) -> None:
    what, cure = ill(status(port=serve(), dsn=migrated_database.named("nope")))
    assert 'CREATE DATABASE "nope"' in what
    assert cure == "do that; systemctl restart malexbot"


def test_both_are_away(status: Run) -> None:
    result = status(dsn=nowhere())
    assert result.exit_code == 1
    first, database, _, daemon, cure = told(result)
    assert first == "malexbot is not well: 2 things are wrong"
    assert database.startswith("  the database tells nothing: ")
    assert daemon.startswith("  the daemon does not answer on ")
    assert cure.startswith("    -> systemctl status malexbot")


def test_it_never_ran(status: Run, empty_database: Dsn) -> None:
    assert ill(status(dsn=empty_database)) == (
        "it has not run yet: there is no archive",
        "systemctl enable --now malexbot",
    )


def test_asking_makes_no_database(status: Run, tmp_path: Path) -> None:
    assert "it has not run yet" in ill(status(dsn=None))[0]
    assert not (tmp_path / "state").exists()


# What is missing.


def test_dead_jobs(
    status: Run, serve: Server, active: Leadership, execute: Execute
) -> None:
    execute(DEAD, DEAD)
    assert ill(status(port=serve())) == (
        "2 jobs are dead: nobody tries again",
        "malexbot jobs list --state dead",
    )


def test_an_open_gap(
    status: Run, serve: Server, active: Leadership, execute: Execute
) -> None:
    execute(CHANNELS, *(f"{GAP} 'c{n}', 'posts', 'a cut')" for n in (1, 2, 3, 4)))
    result = status(port=serve())
    what, cure = ill(result)
    assert what == "posts are missing in Town 1, Town 2, Town 3 and 1 more"
    assert cure.endswith("malexbot backfill")
    assert "\nopen gaps    4\n" in result.stdout
    assert "\n  posts        Town 1 (c1), since 20" in result.stdout
    assert " s): a cut\n" in result.stdout


def test_a_closed_gap_is_none(
    status: Run, serve: Server, active: Leadership, execute: Execute
) -> None:
    execute(f"{GAP} 'c1', 'posts', 'a cut')", "UPDATE gaps SET closed_at = now()")
    assert status(port=serve()).exit_code == 0


def test_a_lost_channel_that_was_asked_for(
    status: Run, serve: Server, active: Leadership, execute: Execute
) -> None:
    execute(CHANNELS, f"{GAP} 'c1', 'access', '403')")
    what, cure = ill(status(port=serve(), channels=("c1", "c2")))
    assert what == "no access to Town 1"
    assert "/invite" in cure


def test_a_lost_channel_of_all_is_shown_and_no_alarm(
    status: Run, serve: Server, active: Leadership, execute: Execute
) -> None:
    execute(
        CHANNELS,
        f"{GAP} 'c1', 'access', '403')",
        "UPDATE channels SET is_accessible = false WHERE channel_id = 'c1'",
    )
    result = status(port=serve())
    assert result.exit_code == 0
    assert "2 channels, 1 lost, nothing waits" in result.stdout
    assert "\n  no access    Town 1 (c1)\n" in result.stdout


def test_a_long_list_is_cut(
    status: Run, serve: Server, active: Leadership, execute: Execute
) -> None:
    execute(*(f"{GAP} 'x{n}', 'posts', 'a cut')" for n in range(9)))
    assert "\n  4 more with --all\n" in status(port=serve()).stdout
    whole = status("--all", port=serve()).stdout
    assert "--all" not in whole and "x8" in whole


# VK.


def test_what_vk_lost_is_shown_for_a_day_and_is_nobodys_fault(
    status: Run, serve: Server, active: Leadership, execute: Execute
) -> None:
    lost = (
        "INSERT INTO gaps (source, channel_id, kind, reason, opened_at, closed_at)"
        " VALUES ('vk', '7', 'lost', 'updates between {} are lost', now(), now() - {})"
    )
    execute(
        lost.format("3 and 9", "interval '1 hour'"),
        lost.format("1 and 2", "interval '2 days'"),
    )
    result = status(port=serve())
    assert result.exit_code == 0
    assert "\nlost         1 time within a day\n  vk " in result.stdout
    assert "updates between 3 and 9 are lost" in result.stdout
    assert "1 and 2" not in result.stdout


@pytest.mark.parametrize(
    ("state", "what", "cure"),
    [
        (
            "unauthorised: VK, groups.getLongPollServer: 5 User authorization failed",
            "VK does not let us in: VK, groups.getLongPollServer: 5 User",
            "write a valid token to vk.token of",
        ),
        ("connects", "VK: not connected yet", "if that lasts"),
        ("down: VK, long poll: refused", "VK: not connected: long poll", "itself"),
    ],
)
def test_what_keeps_vk_away_is_told_with_its_cure(
    status: Run,
    serve: Server,
    active: Leadership,
    health: Health,
    state: str,
    what: str,
    cure: str,
) -> None:
    health.tell("vk", state, is_ready=False)
    told_what, told_cure = ill(status(port=serve(vk_names_known_total=3)))
    assert told_what.startswith(what) and cure in told_cure


def test_vk_alone_has_no_channels_to_tell_of() -> None:
    config = Config.model_validate({"vk": {"token": "t", "group_id": 7}})
    database = survey.DatabaseView(None, (), (), {}, 0)
    seen = survey.Survey("here", database=database)
    assert summary(seen, (), config) == "malexbot is well: connected, nothing waits"
