"""Whether people can give the commands that malexbot has."""

from __future__ import annotations

import pytest

from malexbot.ports import KeptCommand
from malexbot.storage.commands import DatabaseCommands
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from tests.cli.doctor.conftest import Patient

REGISTER = "malexbot commands register --admin-token-file FILE"


@pytest.fixture
def here(patient: Patient, migrated_database: Dsn) -> Patient:
    patient.set_database(migrated_database)
    patient.set_public_url()
    return patient


def test_a_command_that_nobody_can_give_is_told(here: Patient) -> None:
    found = here.check("commands")
    assert found["state"] == "advice"
    assert "/malex" in found["what"]
    assert found["cure"] == REGISTER


def test_one_that_is_registered_is_well(here: Patient, migrated_database: Dsn) -> None:
    kept = KeptCommand.of(id="c", team_id="t", trigger="malex", token="t0ken")
    with Database(migrated_database) as database:
        DatabaseCommands(database).keep(kept)
    found = here.check("commands")
    assert (found["state"], found["what"]) == ("ok", "registered: /malex")


@pytest.mark.parametrize("name", ["malex", "/malex", "crew/malex"])
def test_one_that_was_made_by_hand_is_well(here: Patient, name: str) -> None:
    here.set(command_tokens={name: "t0ken"})
    assert here.check("commands")["state"] == "ok"


def test_an_empty_database_is_no_fault(here: Patient, empty_database: Dsn) -> None:
    here.set_database(empty_database)
    assert here.check("commands")["state"] == "ok"


def test_without_an_address_of_ours_there_are_none(
    patient: Patient, migrated_database: Dsn
) -> None:
    patient.set_database(migrated_database)
    names = [check["name"] for check in patient.examine()["checks"]]
    assert "commands" not in names
