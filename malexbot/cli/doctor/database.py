"""Whether the database is there, ours to write to, and has room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from malexbot.cli.doctor.checks import Check, Theme, Verdict, fault, ok, told
from malexbot.config.model import Config
from malexbot.storage.binaries import find_programs
from malexbot.storage.check import check_server
from malexbot.storage.database import Database
from malexbot.storage.failures import DatabaseUnavailable
from malexbot.storage.migrate import check_history, known_migrations
from malexbot.storage.open import is_made, open_database

# One that was stopped starts within this, unless it has to recover.
START_S = 15.0
DISK_FULL = "53100"
_PROBE = (
    "CREATE TABLE malexbot_doctor (probe text)",
    "INSERT INTO malexbot_doctor SELECT repeat(md5(n::text), 20)"
    " FROM generate_series(1, 200) n",
    "DROP TABLE malexbot_doctor",
)


def theme(config: Config) -> Theme:
    """Nothing that it does stays."""
    opened = ExitStack()
    if not is_made(config):
        return Theme([Check("database", lambda: _to_be_made(config.state_dir))])
    visit = Records(config, opened)
    return Theme(visit.checks(), opened)


def _to_be_made(state_dir: Path) -> Verdict:
    programs = find_programs()
    return ok(
        f"malexbot's own, PostgreSQL {programs.version}; the first start makes it"
        f" under {state_dir}"
    )


class Records:
    """A visit to the database."""

    def __init__(self, config: Config, opened: ExitStack) -> None:
        self._config = config
        self._opened = opened
        self._database: Database | None = None

    def checks(self) -> Sequence[Check]:
        return (
            Check(
                "database",
                self._reach,
                lack="the database did not answer",
                cure=_look_at(self._config),
                limit_s=START_S,
            ),
            Check(
                "rights",
                self._rights,
                needs=("database",),
                lack="the database is not ours",
                cure=_look_at(self._config),
            ),
            Check("schema", self._schema, needs=("rights",)),
            Check("writing", self._write, needs=("rights",)),
            *self._of_commands(),
        )

    def _of_commands(self) -> Iterator[Check]:
        """Nobody can give one while the server does not know where to send it."""
        if self._config.mattermost and self._config.backend.public_url:
            yield Check("commands", self._commands, needs=("schema",))

    @property
    def _open(self) -> Database:
        assert self._database is not None, "asked without the check that opens it"
        return self._database

    def _reach(self) -> Verdict:
        database = self._opened.enter_context(open_database(self._config, size=2))
        with database.transaction() as cursor:
            cursor.execute("SHOW server_version")
            (version,) = cursor.fetchone() or ("?",)
        self._database = database
        where = database.dsn if self._config.db else "malexbot's own"
        return ok(f"{where}, PostgreSQL {str(version).split()[0]}")

    def _rights(self) -> Verdict:
        check_server(self._open)
        return ok("all that malexbot needs")

    def _schema(self) -> Verdict:
        steps = known_migrations()
        with self._open.transaction() as cursor:
            cursor.execute("SELECT to_regclass('schema_version')")
            if cursor.fetchone() == (None,):
                return ok("empty; the first start makes the tables")
            cursor.execute("SELECT number, name FROM schema_version ORDER BY number")
            applied = cursor.fetchall()
        check_history(applied, steps)
        if missing := len(steps) - len(applied):
            return ok(
                f"{len(applied)} of {len(steps)} steps; the next start adds {missing}"
            )
        return ok(f"{len(applied)} steps, the newest that this malexbot knows")

    def _commands(self) -> Verdict:
        from malexbot.cli.doctor.registered import registered

        return registered(self._config, self._open)

    def _write(self) -> Verdict:
        """By doing it: a table, rows in it, and it is as if it never was."""
        try:
            with self._open.transaction() as cursor:
                for statement in _PROBE:
                    cursor.execute(statement)
        except DatabaseUnavailable as error:
            if error.sqlstate != DISK_FULL:
                return told(error, _look_at(self._config))
            return fault(
                f"the disk of the database is full: {error}",
                "make room on the machine of the database: df -h there",
            )
        return ok("tables can be made and filled")


def _look_at(config: Config) -> str:
    if config.db is None:
        return (
            "run this as root or as malexbot; the log is"
            f" {config.state_dir / 'postgres.log'}"
        )
    db = config.db
    return f"pg_isready -h {db.host} -p {db.port} -d {db.name}"
