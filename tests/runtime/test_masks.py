from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg2.extensions import make_dsn

from malexbot.runtime.masks import Mask

SECRET = 'pa"ss/wörd\\ &x'


@pytest.mark.parametrize(
    "text",
    [
        f"password={SECRET}",
        f"postgresql://malex:{quote(SECRET, safe='')}@host/db",
        json.dumps({"token": SECRET}),
        json.dumps({"token": SECRET}, ensure_ascii=False),
        repr({"token": SECRET}),
        base64.b64encode(SECRET.encode()).decode(),
        "Basic " + base64.b64encode(f"bot:{SECRET}".encode()).decode(),
        base64.b64encode(f"a:{SECRET}!".encode()).decode(),
        quote(SECRET, safe="").lower(),
        repr(SECRET.encode()),
        html.escape(f"<b>{SECRET}</b>"),
        json.dumps({"body": json.dumps({"token": SECRET})}),
        make_dsn(password=SECRET),
    ],
)
def test_a_secret_is_found_in_its_disguises(text: str) -> None:
    masked = Mask((SECRET,))(text)
    assert "***" in masked
    assert "ss" not in masked.replace("password", "")
    assert len(masked) < len(text)


def test_a_secret_with_quotes_is_found_in_sql_and_in_a_dsn() -> None:
    secret = "o'brien\\1"
    mask = Mask((secret,))
    assert "brien" not in mask(make_dsn(password=secret))
    assert mask("PASSWORD 'o''brien\\1'") == "PASSWORD '***'"


def test_a_short_secret_is_found_between_other_signs() -> None:
    assert Mask(("abc12",))("user_abc12 (abc12) xabc12") == "user_*** (***) xabc12"


def test_a_short_secret_is_masked_where_it_stands_alone() -> None:
    mask = Mask(("abc",))
    assert mask("token abc, abcdef") == "token ***, abcdef"


def test_a_longer_secret_wins_over_one_inside_it() -> None:
    assert Mask(("secret", "secret-and-more"))("secret-and-more") == "***"


def test_secrets_add_up_and_empty_ones_do_nothing() -> None:
    mask = Mask(("first-secret", ""))
    mask.add(("second-secret",))
    assert mask("first-secret second-secret x") == "*** *** x"
    assert Mask()("text") == "text"


@given(st.text(min_size=6), st.text(), st.text())
def test_no_long_secret_passes(secret: str, before: str, after: str) -> None:
    masked = Mask((secret,))(f"{before} {secret} {after}")
    assert secret in "***" or secret not in masked.replace("***", "\0")


def test_a_key_in_an_address_is_a_secret_whoever_made_it() -> None:
    line = '"GET /lp/wh?act=a_check&key=679102&ts=0 HTTP/1.1" 200'
    assert Mask()(line) == line.replace("679102", "***")
    assert Mask()("the monkey=brown") == "the monkey=brown"
