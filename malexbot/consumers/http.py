"""Hands events over by HTTP: a POST of JSON that its receiver can tell from others'.

The same event has the same Idempotency-Key however often it is sent, so what may have
arrived is sent again. With a secret, X-Malexbot-Signature is `sha256=` and the
HMAC-SHA256, in hex, of X-Malexbot-Timestamp (Unix seconds), a dot, and the body.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import MaxRetryError

from malexbot import __version__
from malexbot.config.targets import HttpTarget
from malexbot.consumers.away import Away, Later
from malexbot.consumers.parcel import body
from malexbot.errors import MalexbotError, Permanent
from malexbot.ports import Job
from malexbot.runtime.heart import outside
from malexbot.runtime.timely import TimelyAdapter
from malexbot.runtime.unreached import why_unreached

POOL_SIZE = 16
# Of an answer so much is read, and told if it is a refusal.
MOST_READ = 2048
MOST_TOLD = 200
# A server or proxy that asks for more is not believed.
LONGEST_WAIT_S = 300.0
# What tells of the target, not of the event; and of these, what a proxy says of a
# service that did not answer it, perhaps because of the event.
AWAY = (408, 429, 502, 503, 504, 507, 521, 522, 523, 524)
SILENT = (408, 502, 504, 524)
# What else asks to come again although it is a 4xx.
PASSES = (425,)
# What no repeat makes a request.
UNSENDABLE = (ValueError, requests.exceptions.InvalidJSONError)


class _Session(requests.Session):
    """Follows nobody, and fails at no redirect that leads nowhere."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class HttpLine:
    """The line to one address: its connections, and what it knows us by."""

    def __init__(self, name: str, settings: HttpTarget) -> None:
        self._name = name
        self._settings = settings
        self._url = settings.url.get_secret_value()
        self._session = _Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, TimelyAdapter(pool_maxsize=POOL_SIZE))
        ca_file = str(settings.ca_file) if settings.ca_file else None
        # Looked up once; later no ~/.netrc and no environment changes a delivery.
        self._way = self._session.merge_environment_settings(
            self._url, {}, None, ca_file, None
        )
        self._session.trust_env = False
        # To connect, and to be answered.
        self.timeout_s = 2 * settings.time_out

    def close(self) -> None:
        self._session.close()

    def look(self) -> str:
        """A service that nothing is posted to tells nothing of itself."""
        return ""

    def send(self, jobs: Sequence[Job]) -> list[str]:
        """What the target said, in a word; a target of batches gets a list of them."""
        first = jobs[0].payload
        if self._settings.batch == 1:
            return [self.post(first, key=jobs[0].key)]
        told = [{"key": job.key, "event": job.payload["event"]} for job in jobs]
        # The same events have the same key; what else they come with, each has its own.
        key = hashlib.sha256("".join(job.key for job in jobs).encode()).hexdigest()
        return [self.post({**first, "event": told}, key=key)] * len(jobs)

    def post(self, payload: Mapping[str, Any], *, key: str) -> str:
        content = body(payload)
        try:
            with outside("an HTTP target"), self._answer(
                content, payload, key
            ) as answer:
                self._check(answer)
                return f"{answer.status_code} {answer.reason}"
        except requests.RequestException as error:
            raise self._unanswered(error) from error
        except OSError as error:
            # So requests tells of a ca_file that is not there.
            raise Away(f"{self._name}: {error}") from error

    def _answer(
        self, content: bytes, payload: Mapping[str, Any], key: str
    ) -> requests.Response:
        return self._session.post(
            self._url,
            data=content,
            headers=self._headers(content, payload, key),
            timeout=self._settings.time_out,
            allow_redirects=False,
            proxies=self._way["proxies"],
            verify=self._way["verify"],
            stream=True,
        )

    def _headers(
        self, content: bytes, payload: Mapping[str, Any], key: str
    ) -> dict[str, str]:
        moment = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"malexbot/{__version__}",
            "Idempotency-Key": key,
            "X-Malexbot-Schema": str(payload["schema"]),
            "X-Malexbot-Timestamp": moment,
        }
        if secret := self._settings.secret:
            signature = signed(secret.get_secret_value(), moment, content)
            headers["X-Malexbot-Signature"] = signature
        if token := self._settings.token:
            headers["Authorization"] = f"Bearer {token.get_secret_value()}"
        return headers

    def _check(self, answer: requests.Response) -> None:
        """Raises what an answer other than 2xx means."""
        said = _beginning(answer)
        status = answer.status_code
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            # Of how the way there is set up, which somebody mends; no event is lost.
            raise Away(f"{self._name}: {status} {_elsewhere(answer)}")
        told = f"{self._name}: {status} {' '.join(said.split())[:MOST_TOLD]}".rstrip()
        wait_s = retry_after_s(answer.headers.get("Retry-After", ""))
        if status in AWAY:
            raise Away(told, wait_s, is_certain=status not in SILENT)
        if status >= 500 or status in PASSES:
            raise Later(told, wait_s)
        raise Permanent(told)

    def _unanswered(self, error: requests.RequestException) -> MalexbotError:
        """Never with the words of the error: the address in them may be a secret."""
        if isinstance(error, UNSENDABLE):
            return Permanent(f"{self._name}: not an address that can be posted to")
        return Away(f"{self._name}: {_why(error)}", is_certain=_is_nobody_there(error))


def signed(secret: str, moment: str, content: bytes) -> str:
    """What stands in X-Malexbot-Signature."""
    text = moment.encode() + b"." + content
    return "sha256=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def retry_after_s(text: str) -> float | None:
    """`Retry-After`: seconds, or a date; None when it tells nothing."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT_S)


def _beginning(answer: requests.Response) -> str:
    """Of its body; an answer that is short is read whole, so its line is kept.

    What it means was told before: that does not change when the rest does not come.
    """
    try:
        return next(answer.iter_content(MOST_READ), b"").decode(errors="replace")
    except requests.RequestException:
        return ""


def _elsewhere(answer: requests.Response) -> str:
    """Where a redirect leads to; not its path, which may be a secret."""
    try:
        parts = urlsplit(answer.headers.get("Location", ""))
    except ValueError:
        parts = urlsplit("")
    site = f"to {parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    told = site if parts.netloc else "somewhere else"
    return f"leads {told}: write the address that takes events itself"


def _is_nobody_there(error: requests.RequestException) -> bool:
    """No: there was a connection, and then perhaps this event was too much."""
    is_refused = any(isinstance(cause, MaxRetryError) for cause in error.args)
    return is_refused or isinstance(error, requests.exceptions.ConnectTimeout)


def _why(error: requests.RequestException) -> str:
    for kind, told in _REASONS.items():
        if isinstance(error, kind):
            return told
    return why_unreached(error)


_REASONS: Mapping[type[Exception], str] = {
    requests.exceptions.ProxyError: "the proxy does not let it through",
    requests.exceptions.ConnectTimeout: "nobody is there: no connection in time",
    requests.exceptions.Timeout: "no answer in time",
}
