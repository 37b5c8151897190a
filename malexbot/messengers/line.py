"""The HTTP line to a messenger: its connections, and what it means when one breaks."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import requests

from malexbot import __version__
from malexbot.errors import MalexbotError
from malexbot.runtime.heart import outside
from malexbot.runtime.timely import TimelyAdapter, Watch

CONNECT_S = 5.0
POOL_SIZE = 16
# What no repeat makes a request: a bad address, a header with a line break in it.
UNSENDABLE = (ValueError, requests.exceptions.InvalidJSONError)
# What leaves no doubt that the request did not leave.
NOT_SENT = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.ProxyError,
    requests.exceptions.SSLError,
)

# What the reason of a broken line begins with, and says nothing to a person.
_FOR_MACHINES = re.compile(r"Failed to establish a new connection: |\[Errno -?\d+\] ")

# Of a call, and the reason.
Kind = Callable[[str, str], MalexbotError]


class Kinds(NamedTuple):
    """What a messenger calls the failure of a request that nobody answered."""

    rejected: Kind
    unreachable: Kind
    unclear: Kind


class Line:
    """The connections to one address; safe to use from many threads."""

    def __init__(
        self,
        to: str,
        url: str,
        *,
        kinds: Kinds,
        watch: Watch = lambda line: None,
        silent_s: float = math.inf,
    ) -> None:
        """`to`: who is waited for meanwhile; `watch` is told of each connection.

        Of an answer something comes each `silent_s`, or it is waited for no longer.
        """
        self._to = to
        self._kinds = kinds
        self.session = requests.Session()
        self.session.headers["User-Agent"] = f"malexbot/{__version__}"
        adapter = TimelyAdapter(
            watch=watch,
            connect_s=CONNECT_S,
            silent_s=silent_s,
            pool_maxsize=POOL_SIZE,
        )
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, adapter)
        self._way = self._surroundings(url)

    def close(self) -> None:
        self.session.close()

    def request(
        self,
        call: str,
        method: str,
        url: str,
        *,
        is_repeatable: bool,
        read_s: float,
        **more: Any,
    ) -> requests.Response:
        """What is answered, whatever that is; raises what it means if nothing is."""
        try:
            with outside(self._to):
                return self.session.request(
                    method,
                    url,
                    timeout=(CONNECT_S, read_s),
                    allow_redirects=False,
                    **self._way,
                    **more,
                )
        except requests.RequestException as error:
            raise self.broken(call, error, is_repeatable=is_repeatable) from error

    def broken(
        self, call: str, error: Exception, *, is_repeatable: bool
    ) -> MalexbotError:
        """What it means that the line broke under this call."""
        told = cause(error)
        if isinstance(error, UNSENDABLE):
            return self._kinds.rejected(call, told)
        if is_repeatable or _has_not_left(error):
            return self._kinds.unreachable(call, told)
        return self._kinds.unclear(call, told)

    def _surroundings(self, url: str) -> dict[str, Any]:
        """Proxy and CA, as the environment names them.

        Looked up once: to read the environment at each call is a fifth of its CPU.
        """
        way = self.session.merge_environment_settings(url, {}, None, None, None)
        self.session.trust_env = False
        return {"proxies": way["proxies"], "verify": way["verify"]}


def cause(error: BaseException) -> str:
    """The innermost words of a chain of exceptions, as a person reads them."""
    while True:
        inner = getattr(error, "reason", None) or (error.args or (None,))[-1]
        if not isinstance(inner, BaseException):
            break
        error = inner
    text = _FOR_MACHINES.sub("", str(error).rpartition("): ")[2].strip())
    return text or type(error).__name__


def _has_not_left(error: Exception) -> bool:
    told = repr(error)
    is_refused = "NewConnectionError" in told or "NameResolution" in told
    return is_refused or isinstance(error, NOT_SENT)
