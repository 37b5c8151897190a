"""A set-up in which all is well, until a test breaks something of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from malexbot.cli import main
from malexbot.sandbox.fixtures import Mattermost, mattermost
from malexbot.storage.dsn import Dsn
from tests.support.settings import db_block, free_port

__all__ = ["mattermost"]

Found = Mapping[str, Any]


@dataclass
class Patient:
    """A configuration that may be changed, and `malexbot doctor` on it."""

    mattermost: Mattermost
    folder: Path
    blocks: dict[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        return self.folder / "malexbot.yaml"

    def set(self, **settings: object) -> None:
        """Other values for the block mattermost."""
        self.blocks["mattermost"] |= settings

    def set_backend(self, **settings: object) -> None:
        self.blocks["backend"] |= settings

    def set_database(self, dsn: Dsn, **changes: object) -> None:
        block = db_block(dsn) | {"password": dsn.password or "none"}
        self.blocks["db"] = block | changes

    def set_public_url(self, host: str = "127.0.0.1") -> None:
        """Where the daemon would be, without anything between."""
        port = self.blocks["backend"]["port"]
        self.set_backend(public_url=f"http://{host}:{port}")

    def invoke(self, *args: str, color: bool = False) -> Result:
        self.file.write_text(yaml.safe_dump(self.blocks))
        self.file.chmod(0o600)
        words = ["doctor", "--config", str(self.file), *args]
        return CliRunner().invoke(main, words, color=color)

    def examine(self, *args: str) -> Found:
        """The object of `--json`; its exit code must fit it."""
        result = self.invoke("--json", *args)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        found: Found = json.loads(result.stdout)
        assert result.exit_code == (0 if found["is_well"] else 1)
        return found

    def check(self, name: str, *args: str) -> Mapping[str, str]:
        """The one finding, or the first, that a check has."""
        checks = self.examine(*args)["checks"]
        found: Mapping[str, str] = next(c for c in checks if c["name"] == name)
        return found


@pytest.fixture
def patient(
    mattermost: Mattermost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Patient:
    """Its database is yet to be made."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    state = tmp_path / "state"
    state.mkdir()
    blocks: dict[str, Any] = {
        "state_dir": str(state),
        "backend": {"port": free_port()},
        "mattermost": {
            "http_host": mattermost.url,
            "token": mattermost.town.token,
            "listen_channels": ["malex/general"],
            "target_events_processors": {"posted": ["save"]},
        },
    }
    return Patient(mattermost, tmp_path, blocks)


Break = Callable[[Patient], object]
