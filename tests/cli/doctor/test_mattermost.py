"""Each fault of the server, the bot and its places has its line and its cure."""

from __future__ import annotations

import re

import pytest

from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.town import build
from malexbot.storage.dsn import Dsn
from tests.cli.doctor.conftest import Break, Patient
from tests.messengers.mattermost.detour import Detour

HOUR_MS = 3_600_000
UNKNOWN = "x" * 26


def test_a_sound_set_up_is_well_in_every_line(
    patient: Patient, migrated_database: Dsn
) -> None:
    patient.set_database(migrated_database)
    patient.set_public_url()
    patient.set(command_tokens={"malex": "t0ken"})
    found = patient.examine("--send")
    assert found["is_well"] and not found["findings"]
    names = [check["name"] for check in found["checks"]]
    assert names == [
        *(
            "port",
            "proxy",
            "server",
            "TLS",
            "clock",
            "token",
            "bot",
            "teams",
            "channels",
        ),
        *("SiteURL", "websocket", "callbacks", "send"),
        *("database", "rights", "schema", "writing", "commands", "disk"),
    ]
    assert {check["state"] for check in found["checks"]} == {"ok"}


# Who we are.


def wrong_token(patient: Patient) -> None:
    patient.set(token=UNKNOWN)


def revoked_token(patient: Patient) -> None:
    patient.mattermost.scene.revoke_token(patient.mattermost.town.token)


def disabled_bot(patient: Patient) -> None:
    patient.mattermost.scene.disable(patient.mattermost.town.bot)


def id_of_the_token(patient: Patient) -> None:
    patient.set(token="AbCdEf")


def hidden_bot_accounts(patient: Patient) -> None:
    patient.set(token=UNKNOWN)
    patient.mattermost.settings.has_bot_accounts = False


def person(patient: Patient) -> None:
    scene, town = patient.mattermost.scene, patient.mattermost.town
    patient.set(token=scene.add_token(town.alice))


def another_bot(patient: Patient) -> None:
    patient.set(id="robot")


def no_team(patient: Patient) -> None:
    scene = patient.mattermost.scene
    patient.set(token=scene.add_token(scene.add_bot("stray")))


# Where it is.


def not_in_the_channel(patient: Patient) -> None:
    town = patient.mattermost.town
    patient.mattermost.scene.leave(town.channel, town.bot)


def not_in_the_channel_by_id(patient: Patient) -> None:
    patient.set(listen_channels=[patient.mattermost.town.channel])
    not_in_the_channel(patient)


def not_in_a_private_channel(patient: Patient) -> None:
    town = patient.mattermost.town
    patient.mattermost.scene.leave(town.private, town.bot)
    patient.set(listen_channels=[town.private])


def no_such_channel(patient: Patient) -> None:
    patient.set(listen_channels=["malex/nowhere", "malex/general"])


def another_team(patient: Patient) -> None:
    patient.set(listen_channels=["other/general"])


def archived_channel(patient: Patient) -> None:
    town = patient.mattermost.town
    patient.mattermost.scene.archive_channel(town.second, by=town.admin)
    patient.set(listen_channels=[town.second])


def in_no_channel(patient: Patient) -> None:
    town, scene = patient.mattermost.town, patient.mattermost.scene
    for channel in patient.mattermost.scene.world.channels:
        if scene.world.member(channel.id, town.bot) and channel.type in "OP":
            scene.leave(channel.id, town.bot)
    patient.set(listen_channels=["*"])


# The server.


def clock_ahead(patient: Patient) -> None:
    patient.mattermost.clock.shift(5 * HOUR_MS)


def clock_behind(patient: Patient) -> None:
    patient.mattermost.clock.shift(-90_000)


def no_site_url(patient: Patient) -> None:
    patient.mattermost.settings.site_url = ""


def site_url_nowhere(patient: Patient) -> None:
    patient.mattermost.settings.site_url = "http://127.0.0.1:1"


def refused_connection(patient: Patient) -> None:
    patient.set(http_host="http://127.0.0.1:1")


def unknown_name(patient: Patient) -> None:
    patient.set(http_host="http://chat.invalid")


def another_path(patient: Patient) -> None:
    patient.set(http_host=f"{patient.mattermost.url}/chat")


def proxy_alone(patient: Patient) -> None:
    patient.mattermost.faults.fail(502, is_html=True)


def no_upgrade(patient: Patient) -> None:
    patient.mattermost.faults.fail(400, pattern="websocket", is_html=True)


BOTS = r"Integrations > Bot Accounts"
FAULTS: dict[Break, tuple[str, str, str]] = {
    wrong_token: ("token", "wrong.*revoked.*disabled", f"{BOTS}: enable.*token of"),
    revoked_token: ("token", "wrong.*revoked.*disabled", "Create New Token"),
    disabled_bot: ("token", "wrong.*revoked.*disabled", f"{BOTS}: enable the bot"),
    id_of_the_token: ("token", "does not look like a token.*26", "copy it whole"),
    hidden_bot_accounts: (
        "token",
        "refused",
        f"System Console > {BOTS} > Enable Bot Account Creation",
    ),
    person: ("bot", "@alice, who is a person", f"{BOTS} > Add Bot Account"),
    another_bot: ("bot", "@malexbot, mattermost.id says robot", "token of robot"),
    no_team: ("teams", "@stray is in no team", "Invite People"),
    not_in_the_channel: (
        "channels",
        "malex/general: @malexbot is not in it",
        "/invite @malexbot there",
    ),
    not_in_the_channel_by_id: (
        "channels",
        "[a-z0-9]{26}: @malexbot is not in it",
        "/invite @malexbot there",
    ),
    not_in_a_private_channel: ("channels", "private", "/invite @malexbot there"),
    no_such_channel: (
        "channels",
        "malex/nowhere: there is no such channel, or it is private",
        "take it off mattermost.listen_channels",
    ),
    another_team: (
        "channels",
        "other/general: @malexbot is not in the team other",
        "Invite People; then /invite @malexbot",
    ),
    archived_channel: ("channels", "is archived", "Unarchive Channel"),
    in_no_channel: (
        "channels",
        "@malexbot is in no channel",
        "/invite @malexbot in each channel",
    ),
    clock_ahead: ("clock", "5 h ahead of this machine's", "timedatectl"),
    clock_behind: ("clock", "90 s behind this machine's", "set-ntp true"),
    no_site_url: (
        "SiteURL",
        "does not know its own address",
        "System Console > Environment > Web Server > Site URL: .*http://127",
    ),
    site_url_nowhere: (
        "SiteURL",
        "says http://127.0.0.1:1, we go by http://127.*does not answer from here",
        "System Console > Environment > Web Server > Site URL",
    ),
    refused_connection: ("server", "refused", "does Mattermost run there"),
    unknown_name: ("server", "chat.invalid", "getent hosts chat.invalid"),
    another_path: ("server", "404", "is mattermost.http_host right, with the path"),
    proxy_alone: ("server", "502 and a page of HTML", "systemctl status mattermost"),
    no_upgrade: ("websocket", "is no websocket: 400", "Upgrade [$]http_upgrade"),
}


@pytest.mark.parametrize("broken", FAULTS, ids=lambda broken: str(broken.__name__))
def test_each_fault_has_its_line_and_its_cure(patient: Patient, broken: Break) -> None:
    name, what, cure = FAULTS[broken]
    broken(patient)
    found = patient.examine()
    (told,) = found["findings"]
    assert re.search(what, told["what"]), told
    assert re.search(cure, told["cure"]), told
    at_fault = {c["name"] for c in found["checks"] if c["state"] == "fault"}
    assert at_fault == {name}


@pytest.mark.parametrize(
    ("broken", "reason", "names"),
    [
        (
            refused_connection,
            "the server did not answer",
            {"TLS", "clock", "token", "bot", "teams", "channels", "SiteURL"}
            | {"websocket", "send", "callbacks"},
        ),
        (
            wrong_token,
            "the token is refused",
            {"bot", "teams", "channels", "SiteURL", "websocket", "send", "callbacks"},
        ),
        (no_team, "the bot is in no team", {"channels", "send", "callbacks"}),
        (no_upgrade, "the websocket does not work", {"send"}),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_depends_on_a_fault_is_not_asked_and_says_so(
    patient: Patient, broken: Break, reason: str, names: set[str]
) -> None:
    patient.set_public_url()
    broken(patient)
    found = patient.examine("--send")
    skipped = {c["name"]: c["what"] for c in found["checks"] if c["state"] == "unasked"}
    assert skipped == dict.fromkeys(names, f"not asked, since {reason}")
    assert len(found["findings"]) == 1


def test_a_site_url_of_another_server_is_found_out(patient: Patient) -> None:
    with Sandbox() as other:
        build(other.scene)
        patient.mattermost.settings.site_url = other.url
        found = patient.check("SiteURL")
    assert found["state"] == "fault"
    assert found["what"].endswith("the first is another server")


def test_another_address_of_the_same_server_is_no_fault(patient: Patient) -> None:
    port = patient.mattermost.port
    patient.mattermost.settings.site_url = f"http://localhost:{port}/"
    found = patient.check("SiteURL")
    assert found["state"] == "ok"
    assert "we reach the same server by http://127.0.0.1" in found["what"]


def test_the_token_is_for_nobody_else(patient: Patient) -> None:
    """Who stands behind the SiteURL must not get it."""
    with Sandbox() as other:
        with Detour(other.port) as detour:
            patient.mattermost.settings.site_url = f"http://127.0.0.1:{detour.port}"
            patient.check("SiteURL")
    assert b"config/client" in b"".join(detour.heads)
    assert patient.mattermost.town.token.encode() not in b"".join(detour.sent)


def test_a_system_admin_and_no_channels_work_and_could_be_better(
    patient: Patient,
) -> None:
    town, world = patient.mattermost.town, patient.mattermost.scene.world
    world.users[town.bot].roles = "system_user system_admin"
    patient.set(listen_channels=[])
    found = patient.examine()
    assert found["is_well"]
    told = {c["name"]: c for c in found["checks"] if c["state"] == "advice"}
    assert told.keys() == {"bot", "channels"}
    assert "Role: Member" in told["bot"]["cure"]
    assert "listen_channels is empty" in told["channels"]["what"]


def test_more_missing_channels_than_anybody_reads_are_counted(patient: Patient) -> None:
    patient.set(listen_channels=[f"malex/c{number}" for number in range(9)])
    found = patient.examine()
    assert len(found["findings"]) == 4
    assert found["findings"][-1]["what"] == "and 6 more are missing"


def test_a_configuration_without_mattermost_has_one_line_for_it(
    patient: Patient,
) -> None:
    del patient.blocks["mattermost"]
    found = patient.examine()
    assert found["is_well"]
    (told,) = (c for c in found["checks"] if c["name"] == "Mattermost")
    assert told["state"] == "unasked"
