"""A database that is away, not ours, of another version, or full."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.embedded import Embedded
from tests.cli.doctor.conftest import Patient
from tests.support.postgres import Server


@pytest.fixture
def guest(postgres: Server, empty_database: Dsn) -> Iterator[Dsn]:
    """A role that owns nothing."""
    postgres.execute("CREATE ROLE \"the visitor\" LOGIN PASSWORD 'geheim'")
    yield replace(empty_database, user="the visitor", password="geheim")
    postgres.execute('DROP OWNED BY "the visitor"')
    postgres.drop(empty_database)
    postgres.execute('DROP ROLE "the visitor"')


def execute(dsn: Dsn, *statements: str) -> None:
    with Database(dsn) as database, database.transaction() as cursor:
        for statement in statements:
            cursor.execute(statement)


def tables(dsn: Dsn) -> list[str]:
    with Database(dsn) as database, database.transaction() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE 'malexbot_%%'")
        return [name for (name,) in cursor.fetchall()]


def test_one_that_does_not_answer_is_one_line(
    patient: Patient, migrated_database: Dsn
) -> None:
    patient.set_database(migrated_database, host="127.0.0.1", port=1)
    found = patient.examine()
    (told,) = found["findings"]
    assert "refused" in told["what"]
    assert told["cure"].startswith("pg_isready -h 127.0.0.1 -p 1 -d malexbot_test")
    skipped = {c["name"]: c["what"] for c in found["checks"] if c["state"] == "unasked"}
    skipped.pop("callbacks")
    reason = "not asked, since the database did not answer"
    assert skipped == dict.fromkeys(("rights", "schema", "writing"), reason)


def test_one_that_is_not_there_comes_with_the_statement_that_makes_it(
    patient: Patient, migrated_database: Dsn
) -> None:
    patient.set_database(migrated_database.named("nowhere"))
    found = patient.check("database")
    assert (found["state"], "does not exist" in found["what"]) == ("fault", True)
    assert found["cure"].startswith('as its superuser: CREATE DATABASE "nowhere"')


def test_one_without_rights_comes_with_the_statement_that_grants_them(
    patient: Patient, guest: Dsn, empty_database: Dsn
) -> None:
    execute(empty_database, "REVOKE CREATE ON SCHEMA public FROM public")
    patient.set_database(guest)
    found = patient.check("rights")
    assert found["state"] == "fault"
    assert found["what"] == "the visitor may not create tables in schema public"
    statement = found["cure"].removeprefix("as its owner: ")
    assert statement.startswith("GRANT ")
    execute(empty_database, statement)
    assert patient.check("rights")["state"] == "ok"


def test_an_empty_one_gets_its_tables_at_the_first_start(
    patient: Patient, empty_database: Dsn
) -> None:
    patient.set_database(empty_database)
    found = patient.examine()
    assert found["is_well"]
    (schema,) = (c for c in found["checks"] if c["name"] == "schema")
    assert schema["what"] == "empty; the first start makes the tables"
    assert tables(empty_database) == []


def test_one_of_a_newer_malexbot_is_refused(
    patient: Patient, migrated_database: Dsn
) -> None:
    execute(
        migrated_database,
        "INSERT INTO schema_version (number, name) VALUES (999, 'tomorrow')",
    )
    patient.set_database(migrated_database)
    found = patient.check("schema")
    assert (found["state"], "has schema 999" in found["what"]) == ("fault", True)
    assert found["cure"].startswith("install the newer malexbot again")


def test_one_of_an_older_malexbot_is_brought_on_by_the_next_start(
    patient: Patient, migrated_database: Dsn
) -> None:
    execute(
        migrated_database,
        "DELETE FROM schema_version WHERE number > 1",
    )
    patient.set_database(migrated_database)
    found = patient.check("schema")
    assert (found["state"], "the next start adds" in found["what"]) == ("ok", True)


def test_a_full_disk_over_there_is_found_by_writing(
    patient: Patient, migrated_database: Dsn
) -> None:
    """The server's own word for it, at the moment at which it would say it."""
    execute(
        migrated_database,
        "CREATE FUNCTION full_disk() RETURNS event_trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full', MESSAGE ="
        " 'could not extend file: No space left on device'; END $$",
        "CREATE EVENT TRIGGER full_disk ON ddl_command_start"
        " WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION full_disk()",
    )
    patient.set_database(migrated_database)
    found = patient.check("writing")
    assert found["state"] == "fault"
    assert "the disk of the database is full" in found["what"]
    assert "df -h there" in found["cure"]


def test_nothing_that_was_tried_stays(patient: Patient, migrated_database: Dsn) -> None:
    patient.set_database(migrated_database)
    assert patient.check("writing")["state"] == "ok"
    assert tables(migrated_database) == []


def test_the_embedded_one_is_not_made_by_looking_at_it(patient: Patient) -> None:
    found = patient.check("database")
    assert (found["state"], "the first start makes it" in found["what"]) == ("ok", True)
    assert list((patient.folder / "state").iterdir()) == []


def test_the_embedded_one_is_started_for_as_long_as_it_is_looked_at(
    patient: Patient,
) -> None:
    state = patient.folder / "state"
    with Embedded(state, fsync=False):
        pass
    found = patient.examine()
    assert found["is_well"], found["findings"]
    (database,) = (c for c in found["checks"] if c["name"] == "database")
    assert database["what"].startswith("malexbot's own, PostgreSQL 1")
    assert not (state / "postgres" / "postmaster.pid").exists()
