"""Every row of the contract's authentication table, and how soon a change of keys is known."""

from __future__ import annotations

import httpx
import psycopg
import pytest

from api.demo import KEYS
from domain import api_key
from tests.api.serving import COURSES, OPERATOR_KEY, Served, serving, settings_of
from tests.waiting import wait_until

STATUS = "/api/contacts/status?email=learner@example.com&audience=dtc-courses&client=dtc-courses"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "missing_authorization"),
        ("", "invalid_authorization"),
        ("Bearer", "invalid_authorization"),
        ("Basic dXNlcjpwYXNz", "invalid_authorization"),
        (KEYS["dtc-courses"], "invalid_authorization"),
        ("Bearer nonsense", "invalid_api_key"),
        ("Bearer dm_unknown_secret", "invalid_api_key"),
        ("Bearer dm_dtccourses_wrong", "invalid_api_key"),
        (f"Bearer {KEYS['dtc-courses']}x", "invalid_api_key"),
        (f"Bearer {OPERATOR_KEY}", "invalid_api_key"),
        ("Bearer \u00e9\u00e8", "invalid_api_key"),
    ],
)
def test_refusals(anybody: httpx.Client, header: str | None, code: str) -> None:
    headers = [] if header is None else [(b"Authorization", header.encode())]
    response = anybody.get(STATUS, headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (401, code)
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.json()["error"]["message"]


def test_a_good_key_is_let_in_however_the_scheme_is_spelled(anybody: httpx.Client) -> None:
    for scheme in ("Bearer", "bearer", "BEARER"):
        headers = {"Authorization": f"{scheme} {KEYS['dtc-courses']}"}
        assert anybody.get(STATUS, headers=headers).status_code == 200


def test_nobody_but_the_operator_administers(http: httpx.Client, anybody: httpx.Client) -> None:
    assert http.get("/admin/api/clients").json()["error"]["code"] == "invalid_api_key"
    assert anybody.get("/admin/api/clients").json()["error"]["code"] == "missing_authorization"


def test_without_an_operator_key_nobody_administers(demo_database: str) -> None:
    settings = settings_of(demo_database)
    with serving(type(settings)(database_url=demo_database, master_key=settings.master_key)) as closed:
        for key in ("x", OPERATOR_KEY):
            with closed.client(key) as client:
                assert client.get("/admin/api/clients").status_code == 401


def test_a_revoked_key_stops_working_in_every_process(
    served: Served, operator: httpx.Client, demo_database: str
) -> None:
    made = operator.post("/admin/api/clients/dtc-courses/keys", json={"name": "to be revoked"}).json()
    with serving(settings_of(demo_database)) as other, other.client(made["key"]) as elsewhere:
        wait_until(lambda: elsewhere.get(STATUS).status_code == 200, "the key to be known elsewhere")
        with served.client(made["key"]) as here:
            assert here.get(STATUS).status_code == 200
            operator.delete(f"/admin/api/clients/dtc-courses/keys/{made['public_id']}")
            assert here.get(STATUS).json()["error"]["code"] == "invalid_api_key"
        wait_until(lambda: elsewhere.get(STATUS).status_code == 401, "the key to be revoked elsewhere")


def test_a_client_that_is_switched_off(served: Served, operator: httpx.Client) -> None:
    operator.post("/admin/api/clients", json={"slug": "on-and-off", "organization": "datatalksclub"})
    key = operator.post("/admin/api/clients/on-and-off/keys", json={"name": "only"}).json()["key"]
    query = {"email": "x@example.com", "audience": "dtc-courses", "client": "on-and-off"}
    with served.client(key) as client:
        assert client.get("/api/contacts/status", params=query).status_code == 200
        operator.post("/admin/api/clients/on-and-off/deactivate", json={})
        refused = client.get("/api/contacts/status", params=query)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "inactive_client")
        operator.post("/admin/api/clients/on-and-off/activate", json={})
        assert client.get("/api/contacts/status", params=query).status_code == 200


def test_the_use_of_a_key_is_noted_without_a_write_per_request(
    http: httpx.Client, operator: httpx.Client, demo_database: str
) -> None:
    public_id = api_key.parse(KEYS["dtc-courses"])
    assert public_id is not None
    with psycopg.connect(demo_database, autocommit=True) as connection:
        before = connection.execute("SELECT max(notification_id) FROM log").fetchone()
        for _ in range(20):
            assert http.get(STATUS).status_code == 200
        assert connection.execute("SELECT max(notification_id) FROM log").fetchone() == before
    keys = operator.get("/admin/api/clients/dtc-courses/keys").json()["keys"]
    (used,) = [key for key in keys if key["public_id"] == public_id.public_id]
    assert used["last_used_at"] is not None


def test_no_key_or_its_hash_is_in_the_log_in_clear(demo_database: str) -> None:
    with psycopg.connect(demo_database) as connection:
        rows = connection.execute("SELECT state FROM log WHERE originator_id < stream_id(4, 0)").fetchall()
    assert rows
    assert not any(b"demo_newsletter_import_export_key" in state for (state,) in rows)


def test_the_scope_is_the_callers_own(http: httpx.Client) -> None:
    response = http.get(
        "/api/contacts/status", params={"email": "x@example.com", **COURSES, "client": "dtc-newsletter"}
    )
    assert response.status_code == 403
