"""Who may set something off, and where."""

from __future__ import annotations

import pytest

from malexbot.config.permissions import Permission
from malexbot.events import Event, Peer, User
from malexbot.plugins.permits import permit
from malexbot.plugins.refusal import Refused
from tests.support.events import happened, posted

ROLES = {"ops": ["@Boris", "clara-id"], "nobody": []}


def asked(user: str = "anna", channel: str = "town-square") -> Event:
    return happened("command")._replace(
        user=User(f"{user}-id", nick=user), peer=Peer("c1", "c1", channel)
    )


@pytest.mark.parametrize(
    ("permission", "user", "channel", "is_allowed"),
    [
        (Permission(), "anna", "town-square", True),
        (Permission(users=("anna",)), "anna", "x", True),
        (Permission(users=("@Anna",)), "anna", "x", True),
        (Permission(users=("anna-id",)), "anna", "x", True),
        (Permission(users=("anna",)), "boris", "x", False),
        (Permission(roles=("ops",)), "boris", "x", True),
        (Permission(roles=("ops",)), "clara", "x", True),
        (Permission(roles=("ops",)), "anna", "x", False),
        (Permission(users=("anna",), roles=("ops",)), "anna", "x", True),
        (Permission(roles=("nobody",)), "anna", "x", False),
        (Permission(channels=("~ops",)), "anna", "ops", True),
        (Permission(channels=("c1",)), "anna", "x", True),
        (Permission(channels=("ops",)), "anna", "x", False),
        (Permission(users=("anna",), channels=("ops",)), "boris", "ops", False),
    ],
)
def test_people_roles_and_channels_bound_it(
    permission: Permission, user: str, channel: str, is_allowed: bool
) -> None:
    assert permit(permission, ROLES).allows(asked(user, channel)) is is_allowed


def test_a_program_cannot_call_itself_somebody() -> None:
    allowed = permit(Permission(users=("alice",)), {})
    assert allowed.allows(posted())
    assert not allowed.allows(posted(by_bot=True))
    by_id = permit(Permission(users=("alice-id",)), {})
    assert by_id.allows(posted(by_bot=True))


def test_a_channel_counts_by_its_address_not_by_what_it_calls_itself() -> None:
    allowed = permit(Permission(channels=("ops",)), {})
    said = posted()._replace(peer=Peer("c1", "c1", "The Ops"))
    assert allowed.allows(said._replace(data={"channel_name": "ops"}))
    assert not allowed.allows(said)
    called_so = said._replace(peer=Peer("c1", "c1", "ops"))
    assert not allowed.allows(called_so._replace(data={"channel_name": "mine"}))
    assert not allowed.allows(said._replace(data={"channel_name": ["ops"]}))


def test_nobody_has_no_name() -> None:
    event = asked()._replace(user=User("", nick=None))
    assert not permit(Permission(users=("anna",)), {}).allows(event)


def test_a_role_that_nobody_knows_is_refused() -> None:
    with pytest.raises(Refused, match="there is no role 'boss'.*known: ops, nobody"):
        permit(Permission(roles=("boss",)), ROLES)


def test_where_anybody_takes_any_name_only_ids_count() -> None:
    at_vk = asked()._replace(source="vk", user=User(7, nick="anna"))
    assert not permit(Permission(users=("anna",)), ROLES).allows(at_vk)
    assert permit(Permission(users=("7",)), ROLES).allows(at_vk)
    assert not permit(Permission(channels=("town-square",)), ROLES).allows(at_vk)
    assert permit(Permission(channels=("c1",)), ROLES).allows(at_vk)
