from __future__ import annotations

from malexbot.pipeline.controls import Place, lay_out, lay_out_dialog, refs
from malexbot.ports import Button, Card, Dialog, Field, Menu, Option
from malexbot.ports.grants import field_options

PLACE = Place("rota", "c1")


def card(*controls: Button | Menu) -> Card:
    return Card(text="who?", controls=controls)


def test_what_a_button_sets_off_stands_in_its_grant_alone() -> None:
    button = Button("approve", "Yes", payload={"key": "secret"}, users=["bob-id"])
    (told,), (grant,) = lay_out([card(button)], PLACE)
    assert (grant.action, grant.payload) == ("rota.approve", {"key": "secret"})
    assert (grant.kind, grant.channel_id, grant.users) == ("button", "c1", ("bob-id",))
    (control,) = told["controls"]
    assert control == {
        "kind": "button",
        "action": "approve",
        "label": "Yes",
        "style": "default",
        "ref": grant.ref,
    }
    assert told["text"] == "who?"


def test_a_reference_is_128_bits_and_no_other_is_the_same() -> None:
    _, grants = lay_out([card(Button("a", "A"), Button("a", "A"))], PLACE)
    assert len({grant.ref for grant in grants}) == 2
    assert all(len(bytes.fromhex(grant.ref)) == 16 for grant in grants)


def test_the_buttons_of_one_message_share_their_use() -> None:
    controls = Button("yes", "Yes"), Button("no", "No"), Button("ask", "?", uses=None)
    _, (yes, no, ask) = lay_out([card(*controls[:1]), card(*controls[1:])], PLACE)
    assert yes.choice == no.choice != ""
    assert (ask.choice, ask.uses) == ("", None)
    _, (other,) = lay_out([card(controls[0])], PLACE)
    assert other.choice != yes.choice


def test_a_menu_grants_what_it_offers_and_no_other_value() -> None:
    options = [Option("One", "1"), Option("Two", "2")]
    (told,), (grant,) = lay_out([card(Menu("pick", "Pick", options))], PLACE)
    assert grant.options == ("1", "2")
    (control,) = told["controls"]
    assert (control["kind"], control["source"]) == ("menu", "")
    assert [dict(each) for each in control["options"]] == [
        {"label": "One", "value": "1"},
        {"label": "Two", "value": "2"},
    ]


def test_who_is_named_by_the_place_may_press_what_names_nobody() -> None:
    place = Place("rota", users=("alice-id",))
    theirs, his = Button("a", "A"), Button("b", "B", users=["bob-id"])
    _, (first, second) = lay_out([card(theirs, his)], place)
    assert (first.users, second.users) == (("alice-id",), ("bob-id",))


def test_a_dialog_is_granted_to_whom_it_opens_before() -> None:
    dialog = Dialog("request", "Leave", [Field("days", "Days")], payload={"n": 1})
    told, grant = lay_out_dialog(dialog, Place("rota", "c1", ("alice-id",)))
    assert (grant.kind, grant.action) == ("dialog", "rota.request")
    assert (grant.users, grant.uses, grant.payload) == (("alice-id",), 1, {"n": 1})
    assert told["ref"] == grant.ref and told["action"] == "request"
    assert told["fields"][0]["name"] == "days"
    assert "payload" not in told


def test_the_references_of_a_payload_are_found_again() -> None:
    cards, grants = lay_out([card(Button("a", "A")), card(Button("b", "B"))], PLACE)
    assert refs(cards) == tuple(grant.ref for grant in grants)
    assert refs(None) == refs([]) == ()


def test_a_dialog_grants_what_its_fields_offer_and_no_other_value() -> None:
    stages = [Option("One", "1"), Option("Two", "2")]
    fields = [
        Field("stage", "Stage", kind="select", options=stages),
        Field("who", "Who", kind="select", source="users"),
        Field("how", "How", kind="radio", options=stages[:1]),
        Field("note", "Note"),
    ]
    _, grant = lay_out_dialog(Dialog("request", "Leave", fields), PLACE)
    assert field_options(grant) == {
        "stage": {"1", "2"},
        "who": {None},
        "how": {"1"},
    }
