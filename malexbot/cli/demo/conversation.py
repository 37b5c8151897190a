"""What is said in the demo, and by which rules malexbot keeps and answers it."""

from __future__ import annotations

from typing import NamedTuple

# The archive's filter: what contains this is not kept.
SECRET = "off the record"
KEEPS = f"not event.post.is_system and {SECRET!r} not in event.message.text"

CONFIG = """\
# The configuration of the demo: the one that `malexbot run` reads here.
state_dir: {folder}
drain_timeout: 1s
plugins: [{plugin}]
backend:
  port: {port}
  public_url: {public_url}
mattermost:
  http_host: {url}
  token: {token}
  command_tokens: {tokens}
  listen_channels: ["*"]
  direct: archive
  target_events_processors:
    posted: [save, response]
archive:
  when: {keeps}
responses:
  - when: event.message.text == 'ping'
    reply: pong, {{{{ event.user.nick }}}}
    thread: true
    direct: true
  - when: event.message.text.endswith('?')
    reply: "Good question, {{{{ event.user.nick }}}}!"
    thread: true
    direct: true
"""


# The slash commands, with the hints that Mattermost shows: the built-in one, and that
# of the demo's plugin.
COMMANDS = {
    "malex": ("[help | find WORDS | stats | status | ping]", "ask malexbot"),
    "lunch": ("", "ask who comes to lunch"),
}


class Line(NamedTuple):
    """Somebody said it, so many hours before the demo begins."""

    who: str
    text: str
    hours_ago: float
    is_reply: bool = False


HISTORY = (
    Line("alice", "Who brings a cake?", 26),
    Line("bob", "I do: chocolate.", 25.9, is_reply=True),
    Line("bob", f"{SECRET}: no nuts", 25.8),
    Line("alice", "Release on Thursday!", 3),
)
