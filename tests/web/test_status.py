"""`/metrics` and `/status`, over a real socket."""

from __future__ import annotations

from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from malexbot import __version__
from malexbot.errors import Transient
from malexbot.runtime.health import Health
from malexbot.runtime.metrics import Metrics
from malexbot.web.server import WebServer
from malexbot.web.status import mount_status
from tests.web.test_server import ask, serving, url


@pytest.fixture
def metrics() -> Metrics:
    metrics = Metrics()
    metrics.counter("events", "What came in.", lambda: 3)
    metrics.gauge("jobs", "Jobs.", lambda: {("dead",): 2}, labels=["state"])
    return metrics


def scrape(server: WebServer) -> dict[str, float]:
    with urlopen(url(server, "/metrics"), timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = answer.read().decode()
    return {
        f"{sample.name}{''.join(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_prometheus_reads_the_numbers(metrics: Metrics) -> None:
    with serving(lambda app: mount_status(app, metrics, Health())) as (server, _):
        found = scrape(server)
    assert found["malexbot_events_total"] == 3
    assert found["malexbot_jobsdead"] == 2
    assert found["process_start_time_seconds"] > 0


def test_a_program_reads_words_and_numbers(metrics: Metrics) -> None:
    health = Health()
    health.tell("intake", "writes", is_ready=True)
    health.tell("mattermost", "down: no route", is_ready=False)
    with serving(lambda app: mount_status(app, metrics, health)) as (server, _):
        code, told = ask(server, "/status")
    assert code == 200 and isinstance(told, dict)
    assert told["malexbot"] == __version__
    assert told["parts"] == {
        "intake": {"state": "writes", "is_ready": True},
        "mattermost": {"state": "down: no route", "is_ready": False},
    }
    assert told["readings"]["malexbot_events_total"] == 3
    assert told["readings"]["malexbot_jobs"] == [
        {"labels": {"state": "dead"}, "value": 2}
    ]


def test_both_are_served_while_a_part_is_away(metrics: Metrics) -> None:
    def away() -> float:
        raise Transient("the database is away")

    metrics.gauge("rejects", "Rejects.", away)
    with serving(lambda app: mount_status(app, metrics, Health())) as (server, _):
        assert scrape(server)["malexbot_reading_failedrejects"] == 1
        code, told = ask(server, "/status")
    assert code == 200 and isinstance(told, dict)
    assert told["readings"]["malexbot_reading_failed"] == [
        {"labels": {"reading": "rejects"}, "value": 1}
    ]
    assert told["readings"]["malexbot_events_total"] == 3
