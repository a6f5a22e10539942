"""A CSV file over HTTP: what of it goes in, and what the answer says of each row."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.imports.service import CLIENT, Service

EXAMPLE = """\
email,tags,subscription_status,verified,global_unsubscribed
learner@example.com,course-ml-zoomcamp;course-de-zoomcamp,subscribed,true,false
student@example.com,course-de-zoomcamp,subscribed,false,false
bounced@example.com,,pending,false,false
"""
CSV = "/api/contacts/imports/csv"


def counts(answer: Any, **expected: int) -> bool:
    nothing = dict.fromkeys(("total", "created", "updated", "unchanged", "skipped", "invalid"), 0)
    found: bool = answer["counts"] == nothing | expected
    return found


def test_the_example_of_the_seed_answers_as_printed(service: Service, audience: str) -> None:
    service.imported("email\nlearner@example.com\n", audience)
    response = service.import_csv(EXAMPLE, audience)
    answer = response.json()
    ids = [result["contact"]["contact_id"] for result in answer["results"]]
    people = [
        ("learner@example.com", "updated"),
        ("student@example.com", "created"),
        ("bounced@example.com", "created"),
    ]
    assert answer == {
        "dry_run": False,
        "idempotency_key": "",
        "counts": {"total": 3, "created": 2, "updated": 1, "unchanged": 0, "skipped": 0, "invalid": 0},
        "results": [
            {
                "index": index,
                "item": index + 1,
                "email": email,
                "action": action,
                "contact": {"contact_id": number, "email": email},
            }
            for index, ((email, action), number) in enumerate(zip(people, ids, strict=True))
        ],
        "errors": [],
    }
    assert list(answer) == ["dry_run", "idempotency_key", "counts", "results", "errors"]
    assert service.emails(audience) == [email for email, _ in sorted(people, key=lambda p: ids[people.index(p)])]


def test_a_second_time_changes_nothing(service: Service, audience: str) -> None:
    service.imported(EXAMPLE, audience)
    assert counts(service.imported(EXAMPLE, audience), total=3, unchanged=3)


@pytest.mark.parametrize("way", ["form", "form with csv", "json", "body"])
def test_a_file_may_be_sent_in_every_way(service: Service, audience: str, way: str) -> None:
    scope = {"audience": audience, "client": CLIENT, "dry_run": "yes", "idempotency_key": "july"}
    text = f"email\n{way.replace(' ', '-')}@example.com\n"
    requests: dict[str, dict[str, Any]] = {
        "form": {"data": scope, "files": {"file": ("any name.csv", text)}},
        "form with csv": {"files": {name: (None, value) for name, value in (scope | {"csv": text}).items()}},
        "json": {"json": scope | {"csv": text, "dry_run": True}},
        "body": {"content": text, "params": scope, "headers": {"content-type": "text/csv; charset=utf-8"}},
    }
    answer = service.http.post(CSV, **requests[way]).json()
    assert (answer["dry_run"], answer["idempotency_key"]) == (True, "july")
    assert counts(answer, total=1, created=1)
    assert [result["action"] for result in answer["results"]] == ["would_create"]
    assert answer["results"][0]["contact"]["contact_id"] is None


def test_a_dry_run_writes_nothing_and_counts_what_a_real_one_would(service: Service, audience: str) -> None:
    service.imported("email\nknown@example.com\n", audience)
    text = "email,tags\nknown@example.com,one\nfresh@example.com,\nFRESH@example.com,\nnobody,\n"
    head = service.store.recorder.head()
    dry = service.imported(text, audience, dry_run="true")
    assert service.store.recorder.head() == head
    assert [result["action"] for result in dry["results"]] == ["would_update", "would_create", "skipped"]
    assert dry["counts"] == service.imported(text, audience)["counts"]


def test_of_two_rows_for_an_address_the_first_valid_one_wins(service: Service, audience: str) -> None:
    text = "email,verified,tags\ntwice@example.com,maybe,a\nTwice@Example.com,,b\ntwice@example.com,,c\n"
    answer = service.imported(text, audience)
    kept, skipped = answer["results"]
    assert (kept["item"], kept["action"]) == (2, "created")
    assert skipped == {
        "index": 2,
        "item": 3,
        "email": "twice@example.com",
        "action": "skipped",
        "reason": "duplicate_input",
        "kept_item": 2,
    }
    [error] = answer["errors"]
    errors = {"verified": "must_be_boolean"}
    assert error == {"index": 0, "item": 1, "row": 2, "email": "twice@example.com", "errors": errors}
    assert service.page(audience)["contacts"][0]["tags"] == ["b"]


def test_columns_say_whose_relation_a_row_is_about(service: Service, audience: str) -> None:
    rows = [f"a@example.com,{audience},{CLIENT}", "b@example.com,nowhere,", "c@example.com,,asl-platform"]
    text = "\n".join(["email,audience,client", *rows])
    answer = service.imported(text, "dtc-courses")
    assert [result["email"] for result in answer["results"]] == ["a@example.com"]
    assert [error["errors"] for error in answer["errors"]] == [{"audience": "not_found"}, {"client": "forbidden"}]
    assert service.emails(audience) == ["a@example.com"]


def test_without_form_fields_the_columns_suffice(service: Service, audience: str) -> None:
    text = f"email,audience,client\na@example.com,{audience},{CLIENT}\nb@example.com,{audience},\n"
    answer = service.http.post(CSV, files={"file": ("x.csv", text)}).json()
    assert counts(answer, total=2, created=1, invalid=1)
    assert answer["errors"][0]["errors"] == {"client": "required"}


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_every_good_row_goes_in_around_malformed_ones(
    service: Service, audience: str, line_end: str, start: str
) -> None:
    lines = [
        f"{start}email,tags,unsubscribe_reason",
        "first@example.com,one,",
        'quoted@example.com,"one;two","a reason',
        'over two lines"',
        "many@example.com,a,b,c,d",
        "nul@example.com,\0,",
        f"long@example.com,,{'x' * 200_000}",
        'open@example.com,"one,',
        "not an address,,",
        "last@example.com,,",
    ]
    response = service.import_csv(line_end.join(lines), audience)
    answer = response.json()
    assert counts(answer, total=8, created=3, invalid=5)
    assert [result["email"] for result in answer["results"]] == [
        "first@example.com",
        "quoted@example.com",
        "last@example.com",
    ]
    assert [(error["item"], error["row"], error["errors"]) for error in answer["errors"]] == [
        (3, 5, {"row": "too_many_cells"}),
        (4, 6, {"tags": "invalid"}),
        (5, 7, {"unsubscribe_reason": "too_long"}),
        (6, 8, {"row": "unterminated_quote"}),
        (7, 9, {"email": "invalid"}),
    ]
    assert sorted(service.emails(audience)) == sorted(result["email"] for result in answer["results"])


def test_lines_of_json_come_as_rows_are_done(service: Service, audience: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.imports_run.CHUNK", 100)
    text = "email\n" + "".join(f"line{number}@example.com\n" for number in range(250)) + "nobody\nline1@example.com\n"
    data = {"audience": audience, "client": CLIENT}
    accept = {"accept": "application/x-ndjson"}
    with service.http.stream("POST", CSV, files={"file": ("x.csv", text)}, data=data, headers=accept) as response:
        assert response.headers["content-type"] == "application/x-ndjson"
        lines = [json.loads(line) for line in response.iter_lines()]
    assert counts(lines[-1], total=252, created=250, invalid=1, skipped=1)
    assert list(lines[-1]) == ["counts"]
    assert [line["item"] for line in lines[:-1]] == list(range(1, 253))
    assert lines[250]["errors"] == {"email": "invalid"}


def test_a_long_answer_is_whole(service: Service, audience: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is longer than what is held in memory, so it comes from the spool."""
    monkeypatch.setattr("api.imports_run.HELD_WHOLE", 10_000)
    monkeypatch.setattr("api.imports_spool.BLOCK", 1_000)
    text = "email\n" + "".join(f"long{number}@example.com\n" for number in range(300)) + "nobody\n" * 100
    response = service.import_csv(text, audience)
    answer = response.json()
    assert "transfer-encoding" in response.headers
    assert counts(answer, total=400, created=300, invalid=100)
    assert [result["item"] for result in answer["results"]] == list(range(1, 301))
    assert [error["row"] for error in answer["errors"]] == list(range(302, 402))
    assert response.headers["datamailer-position"] == str(service.store.recorder.head())


def test_a_repeat_under_an_idempotency_key_gets_the_first_answer(service: Service, audience: str) -> None:
    key = {"idempotency-key": f"{audience}-1"}

    def send(text: str) -> httpx.Response:
        data = {"audience": audience, "client": CLIENT}
        return service.http.post(CSV, files={"file": ("x.csv", text)}, data=data, headers=key)

    first, again, other = send("email\nk@example.com\n"), send("email\nk@example.com\n"), send("email\nl@example.com\n")
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert counts(first.json(), total=1, created=1)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_mismatch")
