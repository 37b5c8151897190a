"""reply: from a question to its answer, as a person at another client sees it."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson
import websocket

from tests.bench.figures import Figure, Goal, percentile
from tests.bench.mattermost import Mattermost, Place
from tests.bench.stage import NotFinished, Scale, Stage, Worker

CHANNELS = 50
RATES = (10, 200)
LOOP = "bare echo"
PATIENCE_S = 30.0
# The most that malexbot may be allowed to say in a channel, in a minute.
MOST = 1000
RULE = {
    "when": "event.message.text.startswith('ping')",
    "reply": "re: {{ event.message.text }}",
}


@dataclass(frozen=True, slots=True)
class Run:
    """What one run gave."""

    waited_ms: Sequence[float]
    """For each question."""
    cpu_ms: float
    """What the process under measurement used for each of them."""


def reply(stage: Stage, scale: Scale) -> Sequence[Figure]:
    figures: list[Figure] = []
    for rate in RATES:
        questions = scale.of(rate * 15, rate)
        turns = [
            (_malexbot(stage, rate, questions), _bare(stage, rate, questions))
            for _ in range(scale.turns)
        ]
        figures += _figures(rate, turns)
    return figures


def _figures(rate: int, turns: Sequence[tuple[Run, Run]]) -> list[Figure]:
    cpu = Figure(
        row="reply",
        name=f"CPU of the process at {rate}/s",
        unit="ms",
        ours=[ours.cpu_ms for ours, _ in turns],
        beside=[bare.cpu_ms for _, bare in turns],
        beside_name=LOOP,
    )
    return [cpu] + [
        Figure(
            row="reply",
            name=f"p{share * 100:.0f} at {rate}/s",
            unit="ms",
            ours=[percentile(ours.waited_ms, share) for ours, _ in turns],
            beside=[percentile(bare.waited_ms, share) for _, bare in turns],
            beside_name=LOOP,
            goal=goal,
        )
        for share, goal in ((0.5, None), (0.99, Goal(3.0)))
    ]


def _malexbot(stage: Stage, rate: int, questions: int) -> Run:
    blocks = {
        "responses": [RULE],
        "workers": {"answers_per_minute": MOST},
        "mattermost": {"target_events_processors": {"posted": ["save", "response"]}},
    }
    with Mattermost(channels=CHANNELS) as server, stage.database() as dsn:
        daemon = stage.malexbot(server.place, dsn, **blocks)
        return _ask(server.place, daemon, rate, questions)


def _bare(stage: Stage, rate: int, questions: int) -> Run:
    with Mattermost(channels=CHANNELS) as server:
        return _ask(server.place, stage.bare("echo", server.place), rate, questions)


def _ask(
    place: Place, started: AbstractContextManager[Worker], rate: int, questions: int
) -> Run:
    with started as worker, Observer(place) as observer, Asker(place) as asker:
        asker.ask(0)  # the first one pays for connections and caches
        observer.wait_for(1)
        cpu_s, never, asked_at = worker.cpu_s, threading.Event(), dict[int, float]()
        start = time.perf_counter()
        for number in range(1, questions + 1):
            never.wait(max(0.0, start + number / rate - time.perf_counter()))
            asked_at[number] = time.perf_counter()
            asker.ask(number)
        seen_at = observer.wait_for(questions + 1)
        cpu_ms = (worker.cpu_s - cpu_s) * 1000 / questions
    waited_ms = [(seen_at[number] - at) * 1000 for number, at in asked_at.items()]
    return Run(waited_ms, cpu_ms)


class Asker:
    """Alice, who posts by REST on a connection that is kept."""

    def __init__(self, place: Place) -> None:
        self._channels = place.channels
        self._http = http.client.HTTPConnection(urlsplit(place.url).netloc)
        self._headers = {"Authorization": f"Bearer {place.alice_token}"}

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, number: int) -> None:
        channel = self._channels[number % len(self._channels)]
        body = json.dumps({"channel_id": channel, "message": f"ping {number}"})
        self._http.request("POST", "/api/v4/posts", body, self._headers)
        answer = self._http.getresponse()
        if answer.status != 201:
            raise NotFinished(answer.read().decode())
        answer.read()


class Observer:
    """Her other client, which sees the answers come."""

    def __init__(self, place: Place) -> None:
        self._socket = websocket.create_connection(
            place.socket_url,
            header=[f"Authorization: Bearer {place.alice_token}"],
            skip_utf8_validation=True,
        )
        self._socket.recv_data()  # the hello
        self._seen_at: dict[int, float] = {}
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._watch, name="observer")

    def __enter__(self) -> Observer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.abort()  # type: ignore[no-untyped-call]
        self._thread.join()
        self._socket.shutdown()  # type: ignore[no-untyped-call]

    def wait_for(self, answers: int) -> Mapping[int, float]:
        with self._changed:
            if not self._changed.wait_for(
                lambda: len(self._seen_at) >= answers, PATIENCE_S
            ):
                raise NotFinished(f"{len(self._seen_at)} of {answers} answers came")
            return dict(self._seen_at)

    def _watch(self) -> None:
        while True:
            try:
                _, data = self._socket.recv_data()
            except (OSError, websocket.WebSocketException):
                return
            now, frame = time.perf_counter(), orjson.loads(data or b"{}")
            if frame.get("event") == "posted":
                self._note(orjson.loads(frame["data"]["post"])["message"], now)

    def _note(self, text: str, now: float) -> None:
        said, _, number = text.rpartition(" ")
        if said == "re: ping":
            with self._changed:
                self._seen_at.setdefault(int(number), now)
                self._changed.notify_all()
