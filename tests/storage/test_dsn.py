"""The address of a database."""

import pytest
from pydantic import SecretStr

from malexbot.config import model
from malexbot.errors import Misconfigured
from malexbot.storage.dsn import Dsn


def test_a_url_becomes_an_address() -> None:
    dsn = Dsn.from_url("postgresql://ann:s%40crt@db.example:6432/chat?sslmode=require")
    assert dsn.parameters() == {
        "host": "db.example",
        "port": 6432,
        "user": "ann",
        "password": "s@crt",
        "dbname": "chat",
        "sslmode": "require",
    }


def test_a_short_url_has_defaults() -> None:
    dsn = Dsn.from_url("postgresql:///chat")
    assert (dsn.host, dsn.port, dsn.user, dsn.dbname) == ("localhost", 5432, "", "chat")
    assert {"user", "password"}.isdisjoint(dsn.parameters())


@pytest.mark.parametrize(
    "url", ["postgresql://ann:geheim@db:x/chat", "mysql://ann:geheim@db/chat", "geheim"]
)
def test_a_bad_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(Misconfigured, match="not a database address") as caught:
        Dsn.from_url(url)
    assert "geheim" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_block_of_the_config_becomes_an_address() -> None:
    block = model.Database(
        username="ann", password=SecretStr("geheim"), name="chat", host="db", port=6432
    )
    assert Dsn.from_settings(block) == Dsn(
        host="db", port=6432, user="ann", password="geheim", dbname="chat"
    )


def test_the_password_is_never_shown() -> None:
    dsn = Dsn(
        host="db", user="ann", password="geheim", extra=(("sslpassword", "auch"),)
    )
    for shown in (repr(dsn), str(dsn), f"{dsn}"):
        assert "geheim" not in shown
        assert "auch" not in shown
    assert str(dsn) == "ann@db:5432/malexbot"
