"""A headless Chromium, driven over its DevTools protocol, as a person uses a page."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from base64 import b64decode
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self

from websocket import WebSocket, create_connection

# What a start or a change on the page may take on a busy machine.
PATIENCE_S = 30.0
_LOOK_EVERY_S = 0.03
_OPTIONS = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--password-store=basic",
    "--hide-scrollbars",
    # Pages for what pops up below an address, which nobody sees here: measured, 1.0 of
    # the 1.5 CPU seconds that each tab takes.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup",
)
# Tests that are killed leave no browser behind.
_DIES_WITH_US = ("setpriv", "--pdeathsig", "TERM", "--")
_KEYS = {
    "Enter": {"code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
    "Escape": {"code": "Escape", "windowsVirtualKeyCode": 27},
    "ArrowUp": {"code": "ArrowUp", "windowsVirtualKeyCode": 38},
    "ArrowDown": {"code": "ArrowDown", "windowsVirtualKeyCode": 40},
    "Tab": {"code": "Tab", "windowsVirtualKeyCode": 9},
}
_SHIFT = 8
# Where a finger or a mouse would meet it, once it stands still: what is said meanwhile
# moves the page. Raises for what nobody can see.
_PLACE = """
(async () => {
  const found = %s;
  if (!found) throw new Error("nothing there");
  found.scrollIntoView({ block: "nearest" });
  const before = found.getBoundingClientRect();
  await new Promise((go) => setTimeout(go, 25));
  const { x, y, width, height } = found.getBoundingClientRect();
  if (x !== before.x || y !== before.y) throw new Error("it moves");
  const at = { x: x + width / 2, y: y + height / 2 };
  const top = document.elementFromPoint(at.x, at.y);
  if (!width || !top || !(found.contains(top) || top.contains(found))) {
    throw new Error("hidden");
  }
  return at;
})()
"""

_PLAIN = "(value) => (value instanceof Node ? true : value)"


class PageError(AssertionError):
    """What was asked of the page threw an error there."""


class Chromium:
    """The browser's process; `open` gives a tab."""

    def __init__(self) -> None:
        # Its children may still write there when it has ended.
        self._folder = tempfile.TemporaryDirectory(
            prefix="chromium-", ignore_cleanup_errors=True
        )

    def __enter__(self) -> Self:
        profile = Path(self._folder.name)
        root = ("--no-sandbox",) if os.geteuid() == 0 else ()
        self._process = subprocess.Popen(
            (
                *_DIES_WITH_US,
                "chromium",
                *_OPTIONS,
                *root,
                f"--user-data-dir={profile}",
                "about:blank",
            ),
            env={**os.environ, "HOME": str(profile)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._line = _Line(_address(profile, self._process))
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()
        self._end()

    def open(self, url: str, *, width: int = 1440, theme: str = "light") -> Tab:
        """Each tab is a browser of its own: it shares no storage with others."""
        context = self._line.call("Target.createBrowserContext")["browserContextId"]
        target = {"url": "about:blank", "browserContextId": context}
        target_id = self._line.call("Target.createTarget", target)["targetId"]
        base = self._line.address.partition("/devtools/")[0]
        leave = partial(
            self._line.call,
            "Target.disposeBrowserContext",
            {"browserContextId": context},
        )
        tab = Tab(f"{base}/devtools/page/{target_id}", leave)
        tab.look_like(width=width, theme=theme)
        tab.go(url)
        return tab

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()


class _Line:
    """Commands and their answers; what is told besides is kept."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.told: list[dict[str, Any]] = []
        self._number = 0
        self._socket: WebSocket = create_connection(
            address, timeout=PATIENCE_S, suppress_origin=True
        )

    def call(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        self._number += 1
        command = {"id": self._number, "method": method, "params": params or {}}
        self._socket.send(json.dumps(command))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") != self._number:
                self.told.append(answer)
                continue
            if "error" in answer:
                raise PageError(f"{method}: {answer['error']['message']}")
            result: dict[str, Any] = answer["result"]
            return result

    def close(self) -> None:
        self._socket.close()


class Tab:
    """One page: what a person does on it, and what stands there; `with` closes it."""

    def __init__(self, address: str, leave: Callable[[], object]) -> None:
        self._line = _Line(address)
        self._leave = leave
        self.call = self._line.call
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def go(self, url: str) -> None:
        self.call("Page.navigate", {"url": url})
        self.wait(
            "document.readyState === 'complete' && location.href !== 'about:blank'"
        )

    def look_like(
        self, *, width: int = 1440, height: int = 900, theme: str = "light"
    ) -> None:
        """A phone is narrow, and touched rather than pointed at."""
        is_phone = width < 500
        self.call(
            "Emulation.setDeviceMetricsOverride",
            {
                "width": width,
                "height": 812 if is_phone else height,
                "deviceScaleFactor": 2 if is_phone else 1,
                "mobile": is_phone,
            },
        )
        self.call("Emulation.setTouchEmulationEnabled", {"enabled": is_phone})
        scheme = {"name": "prefers-color-scheme", "value": theme}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.call("Emulation.setEmulatedMedia", {"features": [scheme, still]})

    # Looking.

    def run(self, expression: str) -> Any:
        """What an expression gives there; a promise is waited for, a node is True."""
        asked = {
            "expression": f"Promise.resolve({expression}).then({_PLAIN})",
            "awaitPromise": True,
            "returnByValue": True,
            "userGesture": True,
        }
        answer = self.call("Runtime.evaluate", asked)
        if "exceptionDetails" in answer:
            thrown = answer["exceptionDetails"].get("exception", {})
            raise PageError(thrown.get("description", str(answer)))
        return answer["result"].get("value")

    def wait(self, expression: str, seconds: float = PATIENCE_S) -> Any:
        """Its value, once that is something; what it throws counts as nothing."""
        until, pause = time.monotonic() + seconds, threading.Event()
        problem = "it is not so"
        while time.monotonic() < until:
            try:
                if value := self.run(expression):
                    return value
            except PageError as error:
                problem = str(error)
            pause.wait(_LOOK_EVERY_S)
        text = self.run("document.body.innerText")
        raise AssertionError(f"waited for {expression}: {problem}; the page:\n{text}")

    def text(self, selector: str) -> str:
        return str(
            self.run(f"document.querySelector({json.dumps(selector)}).innerText")
        )

    def errors(self) -> list[str]:
        """What the console shows as wrong."""
        self.run("0")
        found = []
        for told in self._line.told:
            method, params = told.get("method"), told.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(json.dumps(params["exceptionDetails"])[:1000])
            elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
                found.append(f"{params['entry']['text']} {params['entry'].get('url')}")
            elif method == "Runtime.consoleAPICalled" and params["type"] in (
                "error",
                "warning",
                "assert",
            ):
                found.append(json.dumps(params["args"])[:1000])
        return found

    def forget_errors(self) -> None:
        """They were meant to be."""
        self._line.told.clear()

    def picture(self, file: Path) -> None:
        shot = self.call("Page.captureScreenshot", {"format": "png"})
        file.write_bytes(b64decode(shot["data"]))

    # Doing.

    def click(self, selector: str) -> None:
        """As soon as it is there to be clicked on."""
        self.click_on(f"document.querySelector({json.dumps(selector)})")

    def click_on(self, element: str) -> None:
        """The same, by an expression that gives the element."""
        place = self.wait(_PLACE % element)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            mouse = {"type": kind, "button": "left", "clickCount": 1, **place}
            self.call("Input.dispatchMouseEvent", mouse)

    def type(self, text: str) -> None:
        self.call("Input.insertText", {"text": text})

    def press(self, key: str, *, shift: bool = False) -> None:
        event = {"key": key, "modifiers": _SHIFT if shift else 0, **_KEYS[key]}
        kind = "keyDown" if "text" in event else "rawKeyDown"
        self.call("Input.dispatchKeyEvent", {"type": kind, **event})
        event.pop("text", None)
        self.call("Input.dispatchKeyEvent", {"type": "keyUp", **event})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()
        self._leave()


def _address(profile: Path, process: subprocess.Popen[bytes]) -> str:
    """Where the browser listens, once it has written that down."""
    file = profile / "DevToolsActivePort"
    until, pause = time.monotonic() + PATIENCE_S, threading.Event()
    while time.monotonic() < until and process.poll() is None:
        lines = file.read_text().split() if file.exists() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        pause.wait(_LOOK_EVERY_S)
    raise AssertionError(f"chromium did not start (exit code {process.poll()})")
