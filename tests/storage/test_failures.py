"""Which failures of PostgreSQL are tried again."""

import psycopg2
import pytest
from psycopg2 import errors as pg

from malexbot.errors import Misconfigured, Permanent, Transient, Unstorable
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.failures import translate, translate_connect, translated
from tests.support.postgres import Server


class Failed(psycopg2.Error):
    """psycopg2 fills pgcode from the server; here it is given."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__("it failed\nDETAIL: a second line")
        self._sqlstate = sqlstate

    @property
    def pgcode(self) -> str:  # type: ignore[override]
        return self._sqlstate


@pytest.mark.parametrize(
    "sqlstate",
    "08006 57P01 57P03 53100 53200 53300 40001 40P01 55P03 57014 25006 25P03".split(),
)
def test_what_may_heal_is_transient(sqlstate: str) -> None:
    error = translate(Failed(sqlstate))
    assert isinstance(error, Transient)
    assert error.sqlstate == sqlstate


@pytest.mark.parametrize("sqlstate", "23505 42P01 XX000 25P02 42501 26000".split())
def test_what_needs_a_person_is_permanent(sqlstate: str) -> None:
    error = translate(Failed(sqlstate))
    assert isinstance(error, Permanent) and not isinstance(error, Unstorable)


@pytest.mark.parametrize("sqlstate", "22021 22P05 22008 54000".split())
def test_what_content_is_to_blame_for_is_told_apart(sqlstate: str) -> None:
    assert isinstance(translate(Failed(sqlstate)), Unstorable)


def test_a_lost_line_is_transient() -> None:
    error = translate(psycopg2.OperationalError("gone\nsecond line"))
    assert isinstance(error, Transient)
    assert (str(error), error.sqlstate) == ("gone", None)


def test_the_cause_is_kept() -> None:
    with pytest.raises(Permanent) as caught, translated():
        raise pg.UniqueViolation("twice")
    assert isinstance(caught.value.__cause__, pg.UniqueViolation)


def test_text_that_postgresql_cannot_hold_is_permanent(database: Database) -> None:
    for text in ("a\0b", "\ud800"):
        with pytest.raises(Permanent, match="cannot hold"):
            with database.transaction() as cursor:
                cursor.execute("SELECT %s", (text,))


def test_nobody_listening_is_transient() -> None:
    with pytest.raises(Transient, match="127.0.0.1"):
        with Database(Dsn(host="127.0.0.1", port=1)).transaction():
            pass


def test_a_missing_database_is_refused_with_its_statement(postgres: Server) -> None:
    missing = postgres.dsn.named('no "such" thing')
    with pytest.raises(Misconfigured, match="CREATE DATABASE") as caught:
        with Database(missing).transaction():
            pass
    statement = str(caught.value).partition("superuser: ")[2]
    postgres.execute(statement)
    with Database(missing) as database, database.transaction() as cursor:
        cursor.execute("SELECT current_database()")
        assert cursor.fetchone() == (missing.dbname,)
    postgres.execute('DROP DATABASE "no ""such"" thing"')


def test_a_wrong_password_says_where_to_look() -> None:
    said = psycopg2.OperationalError(
        'connection to server at "db" failed: FATAL:  password authentication failed'
        ' for user "ann"\n'
    )
    error = translate_connect(said, "chat", "ann")
    assert isinstance(error, Misconfigured)
    assert "db.password" in str(error)


def test_a_server_that_starts_is_transient() -> None:
    said = psycopg2.OperationalError("FATAL:  the database system is starting up\n")
    assert isinstance(translate_connect(said, "chat", "ann"), Transient)
