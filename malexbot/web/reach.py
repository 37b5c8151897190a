"""A door that tells who knocks that malexbot is behind it."""

from __future__ import annotations

from flask import Flask, Response, jsonify

PATH = "/reach"
# Mattermost hands what stands under `error` back to who submitted a dialog.
HEARD = "malexbot is here"


def mount_reach(application: Flask) -> None:
    """`/reach` answers a dialog of `malexbot doctor`; it does nothing else."""

    @application.post(PATH)
    def reach() -> Response:
        return jsonify(error=HEARD)
