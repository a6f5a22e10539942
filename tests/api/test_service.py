"""Health, readiness and metrics (contract, Service)."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from tests.api.conftest import Upsert
from tests.api.serving import COURSES, Served, serving, settings_of

PARK = """
INSERT INTO checkpoints (projection, partition, partitions, position, parked_position, parked_error)
VALUES ('contacts', 0, 1, 0, 1, 'Refused')
"""
STALE = """
INSERT INTO log SELECT stream_id(9, 1), 1, 'nothing.happened@1', '', 1, 0, 0, 0, now() - interval '1 hour',
    gen_random_uuid(), NULL, 'api'
"""
BEHIND = "INSERT INTO checkpoints (projection, partition, partitions, position) VALUES ('contacts', 0, 1, 0)"


@pytest.fixture
def fresh(database: str) -> Iterator[Served]:
    """A server on an empty log."""
    with serving(settings_of(database)) as served:
        yield served


def test_alive(anybody: httpx.Client) -> None:
    for path in ("/health", "/health/"):
        response = anybody.get(path)
        assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_ready(fresh: Served) -> None:
    response = httpx.get(f"{fresh.base_url}/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ready", "reasons": []})


def test_read_models_that_nobody_keeps_up(fresh: Served, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(STALE)
    response = httpx.get(f"{fresh.base_url}/ready")
    assert response.status_code == 503
    assert "contacts: has not begun to follow the log" in response.json()["reasons"]


def test_a_parked_read_model(fresh: Served, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(PARK)
    response = httpx.get(f"{fresh.base_url}/ready")
    assert (response.status_code, response.json()["reasons"]) == (503, ["contacts: parked at 1"])


def test_a_read_model_that_is_behind(fresh: Served, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(STALE)
        connection.execute(BEHIND)
    response = httpx.get(f"{fresh.base_url}/ready")
    assert response.status_code == 503
    assert response.json()["reasons"][0].startswith("contacts: 1 events and 36")


def test_a_broker_that_does_not_answer(database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as broker:
        alive = f"127.0.0.1:{broker.getsockname()[1]}"
        with serving(settings_of(database, kafka_bootstrap_servers=f"127.0.0.1:1, {alive}")) as served:
            assert httpx.get(f"{served.base_url}/ready").status_code == 200
            broker.close()
            response = httpx.get(f"{served.base_url}/ready")
    assert (response.status_code, response.json()["reasons"]) == (503, ["broker: cannot be reached"])


def figures(client: httpx.Client) -> dict[str, float]:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain")
    lines = [line.rpartition(" ") for line in response.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_requests_are_counted_and_timed_by_route(anybody: httpx.Client, http: httpx.Client, contact_id: int) -> None:
    counter = 'datamailer_http_requests_total{method="PUT",route="/api/contacts/{contact_id}/tags",status="200"}'
    timer = 'datamailer_http_request_seconds_count{method="PUT",route="/api/contacts/{contact_id}/tags"}'
    before = figures(anybody)
    http.put(f"/api/contacts/{contact_id}/tags", json={**COURSES, "tags": ["a"]})
    after = figures(anybody)
    assert after[counter] == before.get(counter, 0) + 1
    assert after[timer] == before.get(timer, 0) + 1
    http.get("/nowhere/somebody@example.com")
    assert 'route="unknown"' in anybody.get("/metrics").text
    assert "somebody" not in anybody.get("/metrics").text


@pytest.mark.usefixtures("projected")
def test_the_log_and_its_followers(anybody: httpx.Client, http: httpx.Client, upsert: Upsert) -> None:
    position = int(upsert().headers["Datamailer-Position"])
    http.get("/api/contacts", params={**COURSES, "min_position": position})
    found = figures(anybody)
    assert found["datamailer_store_up"] == 1
    assert found["datamailer_log_position"] >= position
    for figure in ("events", "seconds"):
        assert found[f'datamailer_lag_{figure}{{follower="contacts"}}'] >= 0
    assert found['datamailer_parked{follower="contacts"}'] == 0
    assert found["datamailer_append_commands_count"] >= 1
    assert found["datamailer_append_commands_sum"] >= found["datamailer_append_commands_count"]
    assert found["process_resident_memory_bytes"] > 0
