"""The sandbox as a process that may be killed, with the face of the one in-process."""

from __future__ import annotations

import inspect
import socket
import threading
import time
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from malexbot.sandbox.acts import Acts
from malexbot.sandbox.clock import Clock
from malexbot.sandbox.control import Control, ControlError
from malexbot.sandbox.faults import Faults
from malexbot.sandbox.ledger import Entry, Ledger
from malexbot.sandbox.process import SandboxProcess
from malexbot.sandbox.refusals import Refusal
from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.scene import Scene

# A server that was killed is back by then.
PATIENCE_S = 60.0
ACTS = "acts"


class Mattermost:
    """Who calls it while it is down waits until it is up; its clock goes on."""

    def __init__(self, state: Path, settings: Mapping[str, Any]) -> None:
        self.scene = cast(Scene, _Part(self, "scene", Scene))
        self.acts = cast(Acts, _Part(self, ACTS, Acts))
        self.faults = cast(Faults, _Part(self, "faults", Faults))
        self.clock = cast(Clock, _Part(self, "clock", Clock))
        self.ledger = cast(Ledger, _Ledger(self, "ledger", Ledger))
        self._process = SandboxProcess(state=state, settings=settings)
        self._changed = threading.Condition()
        self._control: Control | None = None
        self._ahead_ms = 0
        self.longest_step_ms = 0
        """So far its clock jumped at once, before it told anybody."""
        self._panics = 0

    @property
    def sandbox(self) -> Sandbox:
        """For what was written for a sandbox of the own process."""
        return cast(Sandbox, self)

    @property
    def url(self) -> str:
        return self._now().url

    def dial(self) -> socket.socket:
        """Fails while it is down, and does not wait."""
        with self._changed:
            control = self._control
        if control is None:
            raise ConnectionRefusedError
        address = urlsplit(control.url)
        return socket.create_connection((address.hostname, address.port))

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self) -> None:
        control = self._process.start(clock_ahead_ms=self._ahead_ms)
        with self._changed:
            self._control = control
            self._changed.notify_all()

    def kill(self) -> None:
        self._panics = self.panics()
        with self._changed:
            self._control = None
        self._process.kill()

    def stop(self) -> None:
        self._process.kill()

    def restart(self) -> None:
        """In the process that there is: all sockets die, no connection is known."""
        self._now().restart()

    def sockets(self) -> int:
        return self._now().sockets()

    def panics(self) -> int:
        """How often the hub panicked, since the first process began."""
        return self._panics + self._now().panics()

    def step(self, milliseconds: int) -> None:
        """Its clock jumps ahead, or back; a process that comes later goes on so."""
        self._ahead_ms += milliseconds
        self.longest_step_ms = max(self.longest_step_ms, abs(milliseconds))
        self.clock.shift(self._ahead_ms)

    def ask(self, part: str, method: str, arguments: Mapping[str, Any]) -> Any:
        """A call that a kill interrupts is done again: at least once.

        Only what a person does with a bot is not: he is told that it went wrong.
        """
        until = time.monotonic() + PATIENCE_S
        while True:
            control = self._now()
            try:
                return getattr(getattr(control, part), method)(**arguments)
            except ControlError as error:
                raise Refusal("sandbox.refused", str(error)) from error
            except (OSError, HTTPException) as error:
                self._wait_for_another(control, until)
                if part == ACTS:
                    raise Refusal("sandbox.killed", str(error)) from error

    def _now(self) -> Control:
        with self._changed:
            is_up = self._changed.wait_for(lambda: self._control, PATIENCE_S)
            assert is_up and self._control, "the sandbox is not started"
            return self._control

    def _wait_for_another(self, broken: Control, until: float) -> None:
        """The line breaks a moment before we are told of the kill."""
        with self._changed:
            self._changed.wait_for(lambda: self._control is not broken, 0.2)
        assert time.monotonic() < until, "the sandbox does not answer"


class _Part:
    """Takes arguments as the real part does; the line wants them by name."""

    def __init__(self, server: Mattermost, name: str, kind: type) -> None:
        self._server = server
        self._name = name
        self._kind = kind

    def __getattr__(self, method: str) -> Any:
        signature = inspect.signature(getattr(self._kind, method))

        def call(*values: Any, **named: Any) -> Any:
            given = signature.bind(self, *values, **named).arguments
            del given["self"]
            return self._server.ask(self._name, method, given)

        return call


class _Ledger(_Part):
    def entries(self, **asked: str) -> list[Entry]:
        return self._entries("entries", asked)

    def said(self, user_id: str) -> list[Entry]:
        return self._entries("said", {"user_id": user_id})

    def _entries(self, method: str, asked: Mapping[str, str]) -> list[Entry]:
        told = self._server.ask(self._name, method, asked)
        return [Entry(**entry) for entry in told]
