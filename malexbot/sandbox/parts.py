"""What works on the world, built once."""

from __future__ import annotations

from dataclasses import dataclass

from malexbot.sandbox.answers import Answers
from malexbot.sandbox.buttons import Buttons
from malexbot.sandbox.call import Room, Router
from malexbot.sandbox.changes import Changes
from malexbot.sandbox.commands import Commands
from malexbot.sandbox.dialogs import Dialogs
from malexbot.sandbox.faults import Faults
from malexbot.sandbox.hub import Hub
from malexbot.sandbox.outgoing import Outgoing
from malexbot.sandbox.pages import Pages
from malexbot.sandbox.people import People
from malexbot.sandbox.posts import Posts
from malexbot.sandbox.rest.actions import ActionRoutes
from malexbot.sandbox.rest.channels import Channels
from malexbot.sandbox.rest.commands import CommandRoutes
from malexbot.sandbox.rest.files import Files
from malexbot.sandbox.rest.hooks import Hooks
from malexbot.sandbox.rest.posts import PostRoutes
from malexbot.sandbox.rest.searches import Searches
from malexbot.sandbox.rest.system import System
from malexbot.sandbox.rest.teams import Teams
from malexbot.sandbox.rest.users import Users
from malexbot.sandbox.rooms import Rooms
from malexbot.sandbox.triggers import Triggers
from malexbot.sandbox.view import View
from malexbot.sandbox.webhooks import Incoming, Tellers
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
    commands: Commands
    buttons: Buttons
    dialogs: Dialogs
    incoming: Incoming
    tellers: Tellers

    @classmethod
    def of(cls, world: World, faults: Faults) -> Parts:
        view = View(world)
        posts = Posts(world, view)
        people = People(world)
        changes, rooms = Changes(world, posts), Rooms(world, posts)
        outgoing, triggers = Outgoing(world.settings), Triggers(world)
        incoming = Incoming(world, posts, rooms)
        return cls(
            world=world,
            people=people,
            posts=posts,
            changes=changes,
            rooms=rooms,
            pages=Pages(world, view),
            view=view,
            hub=Hub(world, people, faults),
            faults=faults,
            commands=Commands(world, outgoing, Answers(world, posts), triggers),
            buttons=Buttons(world, posts, changes, outgoing, triggers),
            dialogs=Dialogs(world, outgoing, triggers),
            incoming=incoming,
            tellers=Tellers(world, outgoing, incoming),
        )

    def router(self) -> Router:
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
            Searches(self.world),
            Users(self.world, self.people, self.hub),
            Teams(self.world, self.rooms),
            Channels(self.world, self.rooms, self.pages, self.hub),
            post_routes,
            Files(self.world),
            CommandRoutes(self.world, self.commands),
            ActionRoutes(self.buttons, self.dialogs),
            Hooks(self.world, self.incoming),
            System(self.world),
        ]
        return Router(route for room in rooms for route in room.routes())
