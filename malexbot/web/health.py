"""Whether the daemon lives and does its work, for probes and load balancers."""

from __future__ import annotations

from flask import Flask, Response, jsonify

from malexbot.runtime.health import Health


def mount_health(application: Flask, health: Health) -> None:
    """`/healthz` answers as long as we live, `/readyz` tells whether all is well."""

    @application.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="alive")

    @application.get("/readyz")
    def readyz() -> tuple[Response, int]:
        is_ready = health.is_ready
        answer = jsonify(ready=is_ready, parts=health.parts())
        return answer, 200 if is_ready else 503
