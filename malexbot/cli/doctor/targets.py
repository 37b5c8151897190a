"""Where events and the workstream log are handed to: whether somebody is there.

Nothing is handed over: a connection tells enough.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from malexbot.cli.culprit import culprit
from malexbot.cli.doctor.checks import (
    Answer,
    Check,
    Theme,
    Verdict,
    advice,
    fault,
    ok,
    unasked,
)
from malexbot.cli.doctor.visit import proxy_of
from malexbot.config.model import Config
from malexbot.config.targets import HttpTarget, Redis
from malexbot.config.workstream import Receiver
from malexbot.errors import MalexbotError
from malexbot.runtime.unreached import why_unreached

TIME_OUT_S = 3.0


def theme(config: Config, config_file: Path) -> Theme:
    """Without a block there is nothing to look at."""
    return Theme([*_checks(config, config_file)])


def _checks(config: Config, config_file: Path) -> Iterator[Check]:
    if redis := config.redis:
        yield Check("redis", lambda: _redis(redis, config_file))
    if config.http:
        yield Check("http", lambda: _http(config.http, config_file))
    receiver = config.workstream.receiver
    if receiver and receiver.kind == "tcp":
        yield Check("workstream", lambda: _workstream(receiver, config_file))


def _redis(settings: Redis, config_file: Path) -> Answer:
    # Heavy: who has none needs none.
    from malexbot.consumers.redis import RedisBus

    short = {"time_out": min(settings.time_out, TIME_OUT_S)}
    bus = RedisBus(settings.model_copy(update=short))
    try:
        odd = bus.look()
    except MalexbotError as error:
        who = f" --user {settings.username}" if settings.username else ""
        who += " --askpass" if settings.password else ""
        return fault(
            str(error),
            f"look at {culprit('redis', str(error))} of {config_file};"
            f" redis-cli -u {settings.url}{who} ping",
        )
    finally:
        bus.close()
    if odd:
        what, _, cure = odd.partition("; ")
        return advice(f"{settings.url}: {what}", cure)
    return ok(f"{settings.url} answers")


def _http(targets: Mapping[str, HttpTarget], config_file: Path) -> Answer:
    return [_service(name, of, config_file) for name, of in targets.items()]


def _service(name: str, target: HttpTarget, config_file: Path) -> Verdict:
    """The path of an address may be a secret, and is not told."""
    url = target.url.get_secret_value()
    if proxy := proxy_of(url):
        return unasked(f"{name} is reached by the proxy {proxy}")
    parts = urlsplit(url)
    host, is_secure = parts.hostname or "", parts.scheme.lower() == "https"
    port = parts.port or (443 if is_secure else 80)
    context = None
    try:
        if is_secure:
            context = ssl.create_default_context(cafile=target.ca_file)
        _knock(host, port, context)
    except OSError as error:
        told = why_unreached(error)
        setting = culprit(f"http:{name}", told)
        cure = f"look at {setting} of {config_file}; curl -m 5 {_site(url)}"
        return fault(f"{name}: {host}:{port}: {told}", cure)
    return ok(f"{name}: {host}:{port} takes connections")


def _site(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _workstream(receiver: Receiver, config_file: Path) -> Answer:
    host, port = receiver.address
    try:
        _knock(host, port, None)
    except OSError as error:
        cure = f"is workstream.to right in {config_file}? nc -vz {host} {port}"
        return fault(f"{host}:{port}: {why_unreached(error)}", cure)
    return ok(f"{host}:{port} takes connections")


def _knock(host: str, port: int, context: ssl.SSLContext | None) -> None:
    with socket.create_connection((host, port), TIME_OUT_S) as line:
        if context:
            context.wrap_socket(line, server_hostname=host).close()
