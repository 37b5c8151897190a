"""The numbers of the daemon: for Prometheus, and for `malexbot status`."""

from __future__ import annotations

from flask import Flask, Response, jsonify

from malexbot import __version__
from malexbot.runtime.health import Health
from malexbot.runtime.metrics import Metrics


def mount_status(application: Flask, metrics: Metrics, health: Health) -> None:
    """`/metrics` is for Prometheus; `/status` is the same as JSON, with the words."""

    @application.get("/metrics")
    def show_metrics() -> Response:
        return Response(metrics.text(), content_type=metrics.CONTENT_TYPE)

    @application.get("/status")
    def show_status() -> Response:
        return jsonify(
            malexbot=__version__, parts=health.states(), readings=metrics.numbers()
        )
