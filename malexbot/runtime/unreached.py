"""Why nobody was reached over the network, in words for a person.

They tell no address and no path: those may be a secret.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

LINE_BROKE = "the line broke before it answered"


def why_unreached(error: BaseException) -> str:
    """By what the system or TLS has raised, however many wrapped it since."""
    roots = [each for each in _chain(error) if isinstance(each, OSError)]
    return _told(roots[-1]) if roots else LINE_BROKE


def _told(error: OSError) -> str:
    match error:
        case socket.gaierror(errno=socket.EAI_AGAIN):
            return f"its name cannot be looked up now: {error.strerror}"
        case socket.gaierror():
            return f"its name is not known: {error.strerror}"
        case ConnectionRefusedError():
            return "nothing listens there: the connection was refused"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}"
        case ssl.SSLError(reason="WRONG_VERSION_NUMBER" | "RECORD_LAYER_FAILURE"):
            return "no TLS is spoken there"
        case ssl.SSLError(strerror=str(words)):
            return f"TLS fails: {words}"
        case TimeoutError():
            return "no answer in time"
        case ConnectionError():
            return LINE_BROKE
    return f"there is no way to it: {error.strerror}" if error.strerror else LINE_BROKE


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """What it was made of, the outermost first.

    Libraries pass the cause of an error on as its cause, an argument or a `reason`.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        told = (getattr(error, "reason", None), *error.args)
        inner = (each for each in told if isinstance(each, BaseException))
        error = next(inner, None) or error.__cause__ or error.__context__
