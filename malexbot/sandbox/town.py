"""A ready-made world: a team, a few people, a bot, channels."""

from __future__ import annotations

from dataclasses import dataclass

from malexbot.sandbox.scene import Scene

BOT_NAME = "malexbot"


@dataclass(frozen=True)
class Town:
    """The ids of who and what is there; `token` is the bot's."""

    admin: str
    alice: str
    bob: str
    bot: str
    token: str
    team: str
    # Public, with alice, bob and the bot in it.
    channel: str
    # Public, with alice and the bot.
    second: str
    # Private, with alice and the bot.
    private: str
    # Between alice and the bot.
    direct: str


def build(scene: Scene) -> Town:
    """Works on a scene of this process and of another one alike."""
    admin = scene.add_user(username="admin", is_admin=True)
    alice, bob = scene.add_user(username="alice"), scene.add_user(username="bob")
    bot = scene.add_bot(username=BOT_NAME)
    team = scene.add_team(name="malex", creator_id=admin)
    for user in (alice, bob, bot):
        scene.join_team(team_id=team, user_id=user)

    def channel(name: str, members: list[str], kind: str = "O") -> str:
        made = scene.add_channel(team_id=team, name=name, creator_id=admin, type=kind)
        for member in members:
            scene.join(channel_id=made, user_id=member, by=admin)
        return made

    return Town(
        admin=admin,
        alice=alice,
        bob=bob,
        bot=bot,
        token=scene.add_token(user_id=bot),
        team=team,
        channel=channel("general", [alice, bob, bot]),
        second=channel("second", [alice, bot]),
        private=channel("private", [alice, bot], "P"),
        direct=scene.direct(user_id=alice, other_id=bot),
    )
