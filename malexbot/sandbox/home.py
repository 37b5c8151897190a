"""Where a daemon of a test lives: a folder with its configuration and its state."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# What the embedded PostgreSQL of a killed daemon may take to end.
PATIENCE_S = 30.0
_LOOK_EVERY_S = 0.02

# For a configuration that is given as text.
URL = "MATTERMOST_URL"
TOKEN = "MATTERMOST_TOKEN"


class Home:
    """One daemon's folder, beside a sandbox at `url` with a bot that has `token`."""

    def __init__(self, folder: Path, *, url: str, token: str) -> None:
        self._folder = folder
        self._port = _free_port()
        self.environ = {URL: url, TOKEN: token}

    @property
    def public_url(self) -> str:
        """Where the daemon is called, if its `backend` is the usual one."""
        return f"http://127.0.0.1:{self._port}"

    def write_config(self, text: str, blocks: Mapping[str, Any]) -> Path:
        """The text with every block that it lacks; JSON is YAML too."""
        given = {**self._usual(), **blocks}
        given["mattermost"] = {
            "http_host": f"${{{URL}}}",
            "token": f"${{{TOKEN}}}",
            "listen_channels": ["*"],
            **blocks.get("mattermost", {}),
        }
        lines = [
            f"{name}: {json.dumps(block, ensure_ascii=False, default=str)}\n"
            for name, block in given.items()
            if not re.search(rf"^{name}:", text, re.MULTILINE)
        ]
        file = self._folder / "malexbot.yaml"
        file.write_text(text.rstrip() + "\n" + "".join(lines))
        return file

    def end_database(self) -> None:
        """A daemon that was killed leaves its PostgreSQL behind."""
        file = self._folder / "state" / "postgres" / "postmaster.pid"
        until, pause = time.monotonic() + PATIENCE_S, threading.Event()
        while (pid := _first_number(file)) and time.monotonic() < until:
            try:
                os.kill(pid, signal.SIGINT)
            except ProcessLookupError:
                return
            pause.wait(_LOOK_EVERY_S)

    def _usual(self) -> dict[str, Any]:
        return {
            "state_dir": str(self._folder / "state"),
            "backend": {
                "host": "127.0.0.1",
                "port": self._port,
                "public_url": self.public_url,
            },
        }


def _first_number(file: Path) -> int:
    """The server's pid; 0 once it has ended."""
    try:
        return int(file.read_text().partition("\n")[0])
    except (OSError, ValueError):
        return 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
