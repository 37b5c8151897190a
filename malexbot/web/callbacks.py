"""The doors that others call: commands, buttons, dialogs and webhooks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from flask import Flask, Request, Response, abort, request

from malexbot.ports.calls import Answered, Call, Door
from malexbot.web import bodies
from malexbot.web.line import ON_WRITTEN

# Every other name below it has the one door of this name.
HOOKS = "/hooks"


class Way(NamedTuple):
    """How a door may be called."""

    methods: Collection[str]
    kinds: Collection[str]
    """Of bodies; none means any."""


WAYS: Mapping[str, Way] = {
    "/slash": Way(("GET", "POST"), (bodies.FORM,)),
    "/actions": Way(("POST",), (bodies.JSON,)),
    "/dialogs": Way(("POST",), (bodies.JSON,)),
    f"{HOOKS}/outgoing": Way(("POST",), (bodies.FORM, bodies.JSON)),
    f"{HOOKS}/<name>": Way(("POST",), ()),
}


def mount_callbacks(application: Flask, doors: Mapping[str, Door]) -> None:
    """`/slash`, `/actions`, `/dialogs`, `/hooks/outgoing`, and `/hooks` for the rest.

    A door is looked for when somebody calls; where there is none, it is 404.
    """

    def mount(path: str, way: Way) -> None:
        def call(name: str = "") -> Response:
            door = doors.get(HOOKS if name else path)
            if door is None:
                abort(404)
            if request.method not in way.methods:
                abort(405)  # HEAD, which comes with GET
            answered = door(_read(request, way))
            request.environ[ON_WRITTEN](answered.on_written)
            return _written(answered)

        application.add_url_rule(
            path, endpoint=path, view_func=call, methods=list(way.methods)
        )

    for path, way in WAYS.items():
        mount(path, way)


def _read(coming: Request, way: Way) -> Call:
    body = coming.get_data(cache=False)
    bodies.check(
        body,
        kind=coming.mimetype,
        coding=coming.headers.get("Content-Encoding", ""),
        kinds=way.kinds,
    )
    return Call(
        method=coming.method,
        path=coming.path,
        query=coming.query_string.decode("latin-1"),
        headers={name.lower(): value for name, value in coming.headers.items()},
        body=body,
        remote=coming.remote_addr or "",
    )


def _written(answered: Answered) -> Response:
    answer = Response(
        answered.body, answered.status, content_type=answered.content_type
    )
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    if answered.retry_after_s is not None:
        answer.headers["Retry-After"] = str(answered.retry_after_s)
    return answer
