"""Import jobs over HTTP: handed in, carried out in the background, shown with their errors, their file gone."""

from __future__ import annotations

import csv
from typing import Any

import httpx
import psycopg
import pytest

from api.demo import KEYS
from tests.imports.service import CLIENT, Service
from tests.waiting import wait_until

CSV = "/api/contacts/imports/csv?async=true"


def queue(service: Service, audience: str, text: str, **more: Any) -> httpx.Response:
    data = {"audience": audience, "client": CLIENT, **more}
    return service.post(CSV, files={"file": ("x.csv", text)}, data=data)


def ended(service: Service, location: str) -> Any:
    """The job once it has ended."""

    def job() -> Any:
        return service.http.get(location).json()["import"]

    wait_until(lambda: job()["finished_at"] is not None, "the import to end")
    return job()


def files(service: Service) -> int:
    with psycopg.connect(service.conninfo) as connection:
        return len(connection.execute("SELECT FROM import_uploads").fetchall())


def test_a_job_is_queued_carried_out_and_shown(
    service: Service, audience: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.import_run.CHUNK", 100)
    rows = "".join(f"job{number}@example.com,\n" for number in range(450))
    response = queue(service, audience, f'email,tags\n{rows}nobody,!!!\njob1@example.com,\nopen@example.com,"x\n')
    job = response.json()["import"]
    assert response.status_code == 202
    assert response.headers["location"] == f"/api/imports/{job['id']}"
    assert (job["status"], job["counts"]["total"], job["errors"]) == ("queued", 0, [])
    done = ended(service, response.headers["location"])
    assert done["status"] == "succeeded"
    assert done["counts"] == {
        "total": 453,
        "created": 450,
        "updated": 0,
        "unchanged": 0,
        "skipped": 1,
        "invalid": 2,
    }
    assert done["rows_per_second"] > 0
    assert done["created_at"] <= done["started_at"] <= done["finished_at"]
    errors = [
        {"index": 450, "item": 451, "row": 452, "errors": {"email": "invalid", "tags": "invalid"}},
        {"index": 452, "item": 453, "row": 454, "errors": {"row": "unterminated_quote"}},
    ]
    assert done["errors"] == errors
    listed = service.http.get(f"{response.headers['location']}/errors.csv")
    assert listed.headers["content-type"].startswith("text/csv")
    assert list(csv.reader(listed.text.splitlines())) == [
        ["item", "row", "field", "code"],
        ["451", "452", "email", "invalid"],
        ["451", "452", "tags", "invalid"],
        ["453", "454", "row", "unterminated_quote"],
    ]
    wait_until(lambda: not files(service), "the file to go")
    service.position = str(service.store.recorder.head())
    assert len(service.emails(audience, limit="500")) == 450


def test_the_first_thousand_errors_are_shown_and_all_are_listed(service: Service, audience: str) -> None:
    response = queue(service, audience, "email\n" + "nobody\n" * 5000)
    done = ended(service, response.headers["location"])
    assert done["counts"]["invalid"] == 5000
    assert [error["item"] for error in done["errors"]] == list(range(1, 1001))
    listed = service.http.get(f"{response.headers['location']}/errors.csv").text.splitlines()
    assert listed[1:] == [f"{item},{item + 1},email,invalid" for item in range(1, 5001)]


def test_a_dry_run_may_be_a_job(service: Service, audience: str) -> None:
    done = ended(service, queue(service, audience, "email\ndry-job@example.com\n", dry_run="1").headers["location"])
    assert (done["dry_run"], done["counts"]["created"]) == (True, 1)
    assert service.emails(audience) == []


def test_columns_override_in_a_job_too(service: Service, audience: str) -> None:
    text = f"email,audience,client\nin@example.com,{audience},\nout@example.com,nowhere,other\n"
    done = ended(service, queue(service, "dtc-courses", text).headers["location"])
    assert done["errors"][0]["errors"] == {"audience": "not_found", "client": "forbidden"}
    wait_until(lambda: service.emails(audience) == ["in@example.com"], "the export to show it")


@pytest.mark.parametrize("number", ["999999", "0", "-1", "x", str(2**60)])
def test_what_is_no_job_is_not_found(service: Service, number: str) -> None:
    for path in (f"/api/imports/{number}", f"/api/imports/{number}/errors.csv"):
        response = service.http.get(path)
        assert (response.status_code, response.json()["error"]["fields"]) == (404, {"id": "not_found"})


def test_a_job_of_another_client_is_not_found(service: Service, audience: str) -> None:
    location = queue(service, audience, "email\n").headers["location"]
    other = {"authorization": f"Bearer {KEYS['dtc-newsletter']}"}
    assert service.http.get(location, headers=other).status_code == 404


def test_a_repeat_under_an_idempotency_key_queues_no_second_job(service: Service, audience: str) -> None:
    sent: dict[str, Any] = {"files": {"file": ("x.csv", "email\n")}, "data": {"audience": audience, "client": CLIENT}}
    answers = [service.http.post(CSV, headers={"idempotency-key": audience}, **sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["import"]["id"] == answers[1].json()["import"]["id"]
    assert answers[1].headers["idempotent-replayed"] == "true"
    assert [answer.headers["location"] for answer in answers] == [
        f"/api/imports/{answers[0].json()['import']['id']}"
    ] * 2
    ended(service, answers[0].headers["location"])


def test_a_word_that_is_no_boolean_is_refused(service: Service) -> None:
    scope = {"audience": "dtc-courses", "client": CLIENT}
    url = "/api/contacts/imports/csv?async=perhaps"
    ways: list[dict[str, Any]] = [
        {"files": {"file": ("x.csv", "email\n")}, "data": scope},
        {"json": scope | {"csv": "email\n"}},
    ]
    for sent in ways:
        response = service.http.post(url, **sent)
        assert response.json()["error"]["fields"] == {"async": "must_be_boolean"}


def test_a_client_sees_its_jobs_newest_first(service: Service, audience: str) -> None:
    mine = [queue(service, audience, f"email\nlisted{n}@example.com\n").json()["import"]["id"] for n in range(3)]
    ended(service, f"/api/imports/{mine[-1]}")
    headers = {"datamailer-min-position": str(service.store.recorder.head())}
    first = service.http.get("/api/imports", params={"limit": "2"}, headers=headers).json()
    assert [job["id"] for job in first["imports"]] == [mine[2], mine[1]]
    assert first["count"] == 2
    assert first["imports"][0]["counts"]["created"] == 1
    rest = service.http.get("/api/imports", params={"cursor": first["next_cursor"], "limit": "100"}).json()
    assert rest["imports"][0]["id"] == mine[0]
    assert rest["next_cursor"] is None
    labs = {"authorization": f"Bearer {KEYS['asl-platform']}"}
    assert service.http.get("/api/imports", headers=labs).json() == {"imports": [], "count": 0, "next_cursor": None}
