"""Whether there is a way to each target that routes, and the workstream log, name.

And whether the certificates are there that it is to be trusted by.

It looks at the values as they are written: so this is told together with all else that
is wrong with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from malexbot.config.files import read_bytes
from malexbot.config.problems import Where

# The targets that are nowhere without their block.
_BLOCKS = {"redis": "Redis", "vk": "VK"}
_TEMPLATE = ("{{", "{%", "{#")
_PEER = re.compile("-?[1-9][0-9]*")
# Those of a whole system are some 200 kB.
_MOST_BYTES = 2**22
_CERTIFICATE = re.compile(b"-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----")
_NAME_A_PEM = "name a PEM file that malexbot's user may read"


class Unserved(NamedTuple):
    """Why nobody could deliver to a target."""

    where: Where
    text: str
    hint: str


def unserved(value: Mapping[str, Any]) -> Iterator[Unserved]:
    """All that is missing for a target; a name that is filled in is seen then."""
    http = value.get("http") or {}
    if value.get("redis") is not None and find_spec("redis") is None:
        hint = "pip install 'malexbot[redis]'"
        yield Unserved(("redis",), "the Python package redis is missing", hint)
    for where, file in _ca_files(value):
        if wrong := _untrusted(Path(file)):
            yield Unserved(where, f"{file} {wrong}", _NAME_A_PEM)
    for where, target in _targets(value):
        scheme, _, name = target.partition(":")
        if scheme in _BLOCKS and value.get(scheme) is None:
            text = f"no {_BLOCKS[scheme]} is in the settings"
            yield Unserved(where, text, f"add the block `{scheme}`")
        elif scheme == "vk" and not (_PEER.fullmatch(name) or _is_filled_in(name)):
            hint = "a chat is vk:2000000001, a person vk: and the number"
            yield Unserved(where, "needs the number of a conversation", hint)
        elif scheme == "http" and isinstance(http, Mapping):
            if not http or not (name in http or _is_filled_in(name)):
                yield Unserved(
                    where, "nothing below `http` has that name", _known(http)
                )


def _ca_files(value: Mapping[str, Any]) -> Iterator[tuple[Where, str]]:
    """All that are whole paths; what else is written there is told by the model."""
    http = value.get("http")
    blocks: dict[Where, Any] = {("redis",): value.get("redis")}
    if isinstance(http, Mapping):
        blocks |= {("http", name): block for name, block in http.items()}
    for where, block in blocks.items():
        file = block.get("ca_file") if isinstance(block, Mapping) else None
        if isinstance(file, str) and file.startswith("/") and "\0" not in file:
            yield (*where, "ca_file"), file


def _untrusted(file: Path) -> str:
    """What is wrong with it; "" if nothing is."""
    try:
        content = read_bytes(file, _MOST_BYTES)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "" if _CERTIFICATE.search(content) else "holds no certificate"


def _is_filled_in(name: str) -> bool:
    return any(sign in name for sign in _TEMPLATE)


def _known(http: Mapping[str, Any]) -> str:
    if not http:
        return "add it: `http:`, and below it `NAME: https://host/path`"
    return f"there are: {', '.join(map(str, http))}"


def _targets(value: Mapping[str, Any]) -> Iterator[tuple[Where, str]]:
    """All that are text, and where they stand."""
    rules = value.get("routes")
    for place, rule in enumerate(rules if isinstance(rules, list) else ()):
        if isinstance(rule, Mapping):
            yield from _listed(rule.get("to"), ("routes", place, "to"))
    routing = value.get("routing")
    if isinstance(routing, Mapping):
        yield from _listed(routing.get("default"), ("routing", "default"))
    workstream = value.get("workstream")
    if isinstance(workstream, Mapping) and isinstance(workstream.get("to"), str):
        yield ("workstream", "to"), workstream["to"].strip()


def _listed(targets: Any, where: Where) -> Iterator[tuple[Where, str]]:
    """One or a list."""
    listed = targets if isinstance(targets, list) else [targets]
    for place, target in enumerate(listed):
        if isinstance(target, str):
            yield (*where, place), target.strip()
