"""An event as a job keeps it."""

from __future__ import annotations

from types import MappingProxyType

import orjson
import pytest

from malexbot.events import Button, Event, Message, Peer, Reaction, Reply, User
from malexbot.storage.wire import from_json, to_json
from tests.storage.happenings import edited, happening, post, posted, reacted

REPLY = Reply(7, "before")
VK = happening(
    "message_new",
    None,
    event_id="abc",
    peer=Peer(2000000001, 12, None),
    user=User(5, "Ann", "Ann", None),
    message=Message(3, "hi \0 é", REPLY, (REPLY, REPLY), ("photo1_2",)),
    button=Button(3, "id", {"command": ["a", 1]}),
    reaction=Reaction(3, 9),
    data=MappingProxyType({"deep": {"list": [1, None, True]}}),
)


@pytest.mark.parametrize(
    "event",
    [
        posted(post("p1", 'say "\0" \\ 🎉', texts=("attached", "file.txt"))),
        edited(post(edit_at=2000), origin="replay"),
        reacted(removed=True),
        VK,
    ],
)
def test_an_event_comes_back_but_for_its_frame(event: Event) -> None:
    found = from_json(to_json(event))
    assert found == event._replace(raw=b"")
    assert type(found.post) is type(event.post)
    assert type(found.message) is type(event.message)


def test_an_older_job_lacks_the_fields_that_were_added_since() -> None:
    version, told = orjson.loads(to_json(posted(post())))
    told[Event._fields.index("post")].pop()
    found = from_json(orjson.dumps((version, told[:-1])).decode())
    assert found == posted(post())._replace(raw=b"")


def test_a_later_form_is_refused() -> None:
    with pytest.raises(ValueError, match="version 2"):
        from_json("[2, []]")
