"""What works on the world, built once."""

from __future__ import annotations

from dataclasses import dataclass

from malexbot.sandbox.call import Room, Router
from malexbot.sandbox.changes import Changes
from malexbot.sandbox.faults import Faults
from malexbot.sandbox.hub import Hub
from malexbot.sandbox.outgoing import Outgoing
from malexbot.sandbox.pages import Pages
from malexbot.sandbox.people import People
from malexbot.sandbox.posts import Posts
from malexbot.sandbox.rest.channels import Channels
from malexbot.sandbox.rest.dialogs import Dialogs
from malexbot.sandbox.rest.files import Files
from malexbot.sandbox.rest.posts import PostRoutes
from malexbot.sandbox.rest.system import System
from malexbot.sandbox.rest.teams import Teams
from malexbot.sandbox.rest.users import Users
from malexbot.sandbox.rooms import Rooms
from malexbot.sandbox.view import View
from malexbot.sandbox.world import World


@dataclass(frozen=True)
class Parts:
    """What works on the world, built once."""

    world: World
    people: People
    posts: Posts
    changes: Changes
    rooms: Rooms
    pages: Pages
    view: View
    hub: Hub
    faults: Faults

    @classmethod
    def of(cls, world: World, faults: Faults) -> Parts:
        view = View(world)
        posts = Posts(world, view)
        people = People(world)
        return cls(
            world=world,
            people=people,
            posts=posts,
            changes=Changes(world, posts),
            rooms=Rooms(world, posts),
            pages=Pages(world, view),
            view=view,
            hub=Hub(world, people, faults),
            faults=faults,
        )

    def router(self) -> Router:
        """Commands, actions and webhooks will be further rooms here."""
        post_routes = PostRoutes(
            world=self.world,
            posts=self.posts,
            changes=self.changes,
            pages=self.pages,
            view=self.view,
            hub=self.hub,
            faults=self.faults,
        )
        rooms: list[Room] = [
            Users(self.world, self.people, self.hub),
            Teams(self.world, self.rooms),
            Channels(self.world, self.rooms, self.pages, self.hub),
            post_routes,
            Files(self.world),
            Dialogs(self.world, Outgoing(self.world.settings)),
            System(self.world),
        ]
        return Router(route for room in rooms for route in room.routes())
