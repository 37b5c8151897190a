"""Why nobody was reached is told as what it is, however it was wrapped."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from malexbot.runtime.unreached import LINE_BROKE, why_unreached

NO_ROUTE = OSError(errno.EHOSTUNREACH, "No route to host")


class Wrapped(OSError):
    """As libraries derive theirs, without a number."""


def caused(error: Exception, by: Exception) -> Exception:
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (socket.gaierror(socket.EAI_NONAME, "no"), "its name is not known: no"),
        (ConnectionRefusedError(), "nothing listens there"),
        (NO_ROUTE, "there is no way to it: No route to host"),
        (TimeoutError(), "no answer in time"),
        (ConnectionResetError(), LINE_BROKE),
        (ssl.SSLError(1, "no"), "TLS fails: no"),
        (Wrapped("said no"), LINE_BROKE),
        (ValueError("http://host/secret"), LINE_BROKE),
    ],
)
def test_each_is_told_as_itself(error: Exception, told: str) -> None:
    assert why_unreached(error).startswith(told)


@pytest.mark.parametrize(
    "error",
    [
        Wrapped(NO_ROUTE),
        Wrapped("aborted", NO_ROUTE),
        caused(Wrapped("aborted"), NO_ROUTE),
        Wrapped(caused(ValueError("http://host/secret"), NO_ROUTE)),
    ],
)
def test_however_it_is_wrapped(error: Exception) -> None:
    assert why_unreached(error) == "there is no way to it: No route to host"


def test_an_error_that_is_its_own_cause_is_told_too() -> None:
    error = Wrapped("a")
    error.reason = error  # type: ignore[attr-defined]
    assert why_unreached(error) == LINE_BROKE
