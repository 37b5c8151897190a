"""What the runner stands on: PostgreSQL, both messengers, Redis, the daemon.

Each is a process.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from signal import SIGKILL
from typing import Any

import yaml

from malexbot.sandbox.daemon import DaemonProcess
from malexbot.sandbox.town import build
from malexbot.sandbox.vk.process import VkSandboxProcess
from tests.crash.proxy import Proxy
from tests.crash.redis_line import RedisLine
from tests.crash.routes import LASTING
from tests.crash.stage import MOST_RUNES, SEND_QUEUE
from tests.crash.traffic import KEEP, RULES
from tests.crash.tunnel import Tunnel
from tests.faults.community import RULE
from tests.faults.hasty import AUTH_WAIT_S, CLOCK_FILE
from tests.faults.mattermost import Mattermost
from tests.faults.postgres import Postgres
from tests.faults.presses import PLUGIN, TRIGGER
from tests.faults.routes import ROUTES, vk_block
from tests.support.redis import RedisServer
from tests.support.settings import db_block, free_port

# The server knows the key of a send longer than the hasty daemon repeats it by its
# key, and no longer than it is down now and then.
DEDUPE_S = 12.0
# What was said before anybody listened, so long ago: a walk has an anchor there.
BEFORE_MS = 3_600_000
# It finds out within that that a line is dead of which only the daemon knew.
PING_EVERY_S, PONG_WAIT_S = 5.0, 20.0
# A daemon that hangs answers nobody who presses a button.
INTEGRATION_S = 5.0
# How long Redis may take to answer; what stands still for longer is asked again.
REDIS_WAIT = "2s"
STATE_MB = 1
# Long enough that a busy machine is no reason.
END_S = 60.0


class Ground:
    """`start` from the bottom up, `stop` in reverse."""

    def __init__(
        self,
        folder: Path,
        *,
        program: Sequence[str],
        database_mb: int = 0,
    ) -> None:
        """With `database_mb`, disks of that size, and a small one for the state."""
        self.database_disk, self.state_disk = folder / "database", folder / "state"
        self._database_mb = database_mb
        self._ends = ExitStack()
        self.daemons_clock = folder / "clock"
        self.ledger_file = folder / "server.jsonl"
        self._config_file = folder / "malexbot.yaml"
        self._program = program
        self._logs: list[str] = []
        self._past: list[DaemonProcess] = []
        self._daemon: DaemonProcess | None = None
        self._settings = {
            "max_post_runes": MOST_RUNES,
            "send_queue": SEND_QUEUE,
            "auth_wait_s": AUTH_WAIT_S,
            "dedupe_s": DEDUPE_S,
            "ping_every_s": PING_EVERY_S,
            "pong_wait_s": PONG_WAIT_S,
            "integration_s": INTEGRATION_S,
        }
        self._folder = folder

    def start(self) -> None:
        """All but the daemon."""
        self._make_disk(self.database_disk, self._database_mb)
        self._make_disk(self.state_disk, STATE_MB if self._database_mb else 0)
        self.postgres = Postgres(self.database_disk / "pg")
        self._ends.callback(self.postgres.stop)
        self.postgres.start()
        self.line = self._ends.enter_context(Proxy(self.postgres.dsn))
        self.server = Mattermost(self.ledger_file, self._settings)
        self._ends.callback(self.server.stop)
        self.server.start()
        self.wire = self._ends.enter_context(Tunnel(self.server.dial))
        community = VkSandboxProcess()
        self._ends.callback(community.kill)
        self.vk = community.start()
        self.redis = RedisServer(self._folder, *LASTING)
        self._ends.callback(self.redis.stop)
        self.redis.start()
        self.redis_line = self._ends.enter_context(RedisLine(self.redis.port))
        self.town = build(self.server.scene)
        town, scene = self.town, self.server.scene
        before = self.server.clock.now_ms() - BEFORE_MS
        for channel in (town.channel, town.second, town.private, town.direct):
            scene.post(channel, town.alice, "long ago", create_at=before)
        self.config = self._first_config()
        self.write_config(yaml.safe_dump(self.config))

    def stop(self) -> None:
        for daemon in (*self._past, *self._running()):
            daemon.stop()
        self._ends.close()

    # The daemon of now, and those before.

    @property
    def daemon(self) -> DaemonProcess:
        assert self._daemon is not None
        return self._daemon

    @property
    def logs(self) -> list[str]:
        return self._logs + [d.log for d in (*self._past, *self._running())]

    def start_daemon(self) -> DaemonProcess:
        """A new one; the one before, if it still runs, is not the daemon any more."""
        self._past += self._running()
        self._bury()
        self._daemon = DaemonProcess(
            self._config_file,
            program=self._program,
            environ={CLOCK_FILE: str(self.daemons_clock)},
        )
        self._daemon.start()
        return self._daemon

    def kill_past(self) -> None:
        """All that ran before the daemon of now."""
        for daemon in self._past:
            if daemon.exit_code is None:
                daemon.signal(SIGKILL)
                daemon.wait(END_S)
        self._bury()

    def write_config(self, text: str) -> None:
        self._config_file.write_text(text)

    def _bury(self) -> None:
        """Of who is dead only the log is kept."""
        for daemon in [each for each in self._past if each.exit_code is not None]:
            daemon.stop()
            self._past.remove(daemon)
            self._logs.append(daemon.log)

    def _make_disk(self, disk: Path, size_mb: int) -> None:
        """One of its own, if it has a size; it goes when nobody uses it any more."""
        disk.mkdir(mode=0o700)
        if size_mb:
            mount = ("mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=700")
            subprocess.run([*mount, "malexbot-faults", str(disk)], check=True)
            umount = ("umount", "--lazy", str(disk))
            self._ends.callback(subprocess.run, umount, check=True)

    def _running(self) -> list[DaemonProcess]:
        return [self._daemon] if self._daemon else []

    def _first_config(self) -> Mapping[str, Any]:
        port = free_port()
        url, town = f"http://127.0.0.1:{port}", self.town
        made = self.server.acts.add_command(
            town.team, TRIGGER, f"{url}/slash", town.admin
        )
        (self._folder / f"{TRIGGER}.py").write_text(PLUGIN)
        return {
            "state_dir": str(self.state_disk),
            "backend": {"host": "127.0.0.1", "port": port, "public_url": url},
            "plugins": [f"{TRIGGER}.py"],
            "db": db_block(self.line.dsn),
            "mattermost": {
                "http_host": f"http://127.0.0.1:{self.wire.port}",
                "token": self.town.token,
                "filter_messages_contains": KEEP,
                "listen_channels": ["*"],
                "direct": "archive",
                "target_events_processors": {"posted": ["save", "response", "route"]},
                "command_tokens": {TRIGGER: made["token"]},
            },
            "vk": vk_block(self.vk),
            "redis": {"url": self.redis_line.url, "time_out": REDIS_WAIT},
            "routes": ROUTES,
            "backfill": {"every": "5s"},
            "responses": [
                {"when": f"'ask {kind}' in event.message.text", **rule}
                for kind, rule in RULES.items()
            ]
            + [RULE],
            "workers": {"answers_per_minute": 1000},
        }


@contextmanager
def grounded(program: Sequence[str], *, database_mb: int = 0) -> Iterator[Ground]:
    """A ground in a folder whose path leaves room for a socket's name."""
    with tempfile.TemporaryDirectory(prefix="mf-") as folder:
        ground = Ground(Path(folder), program=program, database_mb=database_mb)
        try:
            ground.start()
            yield ground
        finally:
            ground.stop()
