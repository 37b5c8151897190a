"""The embedded server: made, shared, adopted, ended."""

from malexbot.storage.database import Database


def test_it_serves(database: Database) -> None:
    with database.transaction() as cursor:
        cursor.execute("SELECT epoch FROM daemon")
        assert cursor.fetchone() == (0,)
