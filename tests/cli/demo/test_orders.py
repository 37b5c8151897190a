"""What a person types is said, or done."""

from __future__ import annotations

import io

import pytest

from malexbot.cli.demo.attendant import Attendant
from malexbot.cli.demo.ending import Ended
from malexbot.cli.demo.orders import Orders
from malexbot.cli.demo.telling import Teller
from tests.cli.demo.conftest import BareStage


@pytest.fixture
def orders(stage: BareStage, teller: Teller) -> Orders:
    return Orders(stage, teller, Attendant(stage, teller))


def said(stage: BareStage) -> list[tuple[list[str], bool]]:
    entries = stage.mattermost.ledger.entries(user_id=stage.town.alice)
    return [(entry.texts, bool(entry.delete_at)) for entry in entries]


def test_a_line_is_said_by_alice(stage: BareStage, orders: Orders) -> None:
    orders.obey("  hello there \r")
    orders.obey("")
    assert said(stage) == [(["hello there"], False)]


def test_what_alice_said_last_is_edited_and_deleted(
    stage: BareStage, orders: Orders
) -> None:
    for line in ("one", "two", "/edit three", "/edit", "/delete"):
        orders.obey(line)
    assert said(stage) == [(["one"], False), (["two", "three"], True)]
    orders.obey("/delete")
    orders.obey("/delete")
    orders.obey("/edit nothing is left")
    assert said(stage) == [(["one"], True), (["two", "three"], True)]


def test_an_order_that_nobody_knows_gets_the_help(
    stage: BareStage, orders: Orders, paper: io.StringIO
) -> None:
    orders.obey("/fly")
    assert "/kill" in paper.getvalue()
    assert said(stage) == []


def test_what_mattermost_refuses_is_told(orders: Orders, paper: io.StringIO) -> None:
    orders.obey("x" * 20_000)
    assert "Mattermost refuses: Invalid message." in paper.getvalue()


def test_quit_ends_the_demo(orders: Orders) -> None:
    with pytest.raises(Ended):
        orders.obey("/quit")
