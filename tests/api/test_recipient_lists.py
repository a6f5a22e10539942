"""Recipient lists: a tree of lists, their members one by one and in bulk, and mail to all of them."""

from __future__ import annotations

from itertools import count
from typing import Any

import httpx
import pytest

from tests.api.serving import COURSES, fields

pytestmark = pytest.mark.usefixtures("projected")
numbers = count(1)
TEMPLATE = {"name": "Due", "subject": "{{ title }} is due", "text_body": "{{ score }}", "required_context": ["score"]}


class List:
    """A list that nobody has used, over HTTP."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.key = f"course{next(numbers)}:@e:@homework:1"
        self.path = f"/api/recipient-lists/{self.key}"
        assert http.put(self.path, json={"name": "Homework 1"}).status_code == 201

    def around(self, levels: int) -> str:
        return f"/api/recipient-lists/{self.key.rsplit(':', levels)[0]}"

    def put(self, source: str, email: str, **said: Any) -> httpx.Response:
        return self.http.put(f"{self.path}/members/{source}", json={"email": email, **said})

    def members(self, position: str, path: str = "", **query: Any) -> dict[str, Any]:
        answer = self.http.get(f"{path or self.path}/members", params={"min_position": position, **query})
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown


@pytest.fixture
def course(http: httpx.Client) -> List:
    return List(http)


def at(response: httpx.Response) -> str:
    assert response.status_code < 300, response.text
    return response.headers["Datamailer-Position"]


def test_a_list_brings_those_around_it(http: httpx.Client, labs: httpx.Client, course: List) -> None:
    shown = http.get(course.path).json()["recipient_list"]
    around = [course.key.rsplit(":", n)[0] for n in (1, 2, 3)]
    assert (shown["key"], shown["name"], shown["ancestors"]) == (course.key, "Homework 1", [*around, "<all>"])
    for path in (course.around(1), course.around(3), "/api/recipient-lists/%3Call%3E"):
        assert http.get(path).status_code == 200
    again = http.put(course.path, json={"name": "First homework", "metadata": {"n": 1}})
    assert (again.status_code, again.json()["created"]) == (200, False)
    assert http.get(course.path).json()["recipient_list"] == again.json()["recipient_list"]
    for response in (labs.get(course.path), http.get("/api/recipient-lists/never"), labs.get(f"{course.path}/members")):
        assert (response.status_code, fields(response)) == (404, {"key": "not_found"})


@pytest.mark.parametrize(
    ("key", "code"), [("a%20b", "invalid"), ("a::b", "invalid"), ("%00", "invalid"), ("x" * 256, "too_long")]
)
def test_a_key_that_is_none(http: httpx.Client, key: str, code: str) -> None:
    response = http.put(f"/api/recipient-lists/{key}", json={})
    assert (response.status_code, fields(response)) == (400, {"key": code})
    assert http.get(f"/api/recipient-lists/{key}").status_code == 404


def test_a_member_comes_changes_and_goes(http: httpx.Client, course: List, email: str) -> None:
    put = course.put("user-1", email.upper(), metadata={"score": 5})
    assert (put.status_code, put.json()["created"]) == (200, True)
    member = put.json()["member"]
    assert (member["email"], member["metadata"], member["active"]) == (email, {"score": 5}, True)
    shown = course.members(at(put))
    assert (shown["members"], shown["count"], shown["next_cursor"]) == ([member], 1, None)
    assert course.members(at(put), course.around(2))["members"] == [member]
    quiet = course.put("user-1", email)
    assert (quiet.json()["created"], quiet.json()["member"]["metadata"]) == (False, {"score": 5})
    other = course.put("user-1", f"other-{email}")
    assert [each["email"] for each in course.members(at(other))["members"]] == [f"other-{email}"]
    gone = http.delete(f"{course.path}/members/user-1")
    assert gone.json() == {"source_object_key": "user-1", "removed": True}
    assert http.delete(f"{course.path}/members/user-1").json()["removed"] is False
    assert course.members(at(gone))["members"] == []
    [removed] = course.members(at(gone), include_removed=True)["members"]
    assert (removed["active"], removed["removed_at"] is None) == (False, False)


@pytest.mark.parametrize("source", ["bulk-upsert", "reconcile"])
def test_a_member_may_be_named_like_a_route(http: httpx.Client, course: List, email: str, source: str) -> None:
    put = course.put(source, email)
    assert [each["source_object_key"] for each in course.members(at(put))["members"]] == [source]
    assert http.delete(f"{course.path}/members/{source}").json()["removed"] is True
    refused = http.get(f"{course.path}/members/{source}")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "DELETE, POST, PUT")


def test_members_come_in_pages(course: List, email: str) -> None:
    for n in range(3):
        last = course.put(f"user-{n}", f"{n}-{email}")
    first = course.members(at(last), limit=2)
    rest = course.members(at(last), limit=2, cursor=first["next_cursor"])
    assert [each["source_object_key"] for page in (first, rest) for each in page["members"]] == [
        f"user-{n}" for n in range(3)
    ]
    assert (first["count"], rest["count"], rest["next_cursor"]) == (2, 1, None)


def test_an_erased_member_is_on_no_list(http: httpx.Client, course: List, email: str) -> None:
    course.put("user-1", email, metadata={"name": "Ada"})
    erased = http.post("/api/contacts/erase", json={"email": email, **COURSES})
    assert erased.json()["erased"] is True, erased.text
    assert course.members(at(erased), include_removed=True)["members"] == []
    back = course.put("user-1", email)
    [member] = course.members(at(back))["members"]
    assert (member["email"], member["metadata"]) == (email, {})


def test_reconciling_says_what_it_would_do_then_does_it(http: httpx.Client, course: List, email: str) -> None:
    def members(*sources: str) -> dict[str, Any]:
        return {"members": [{"source_object_key": each, "email": f"{each}-{email}"} for each in sources]}

    put = http.post(f"{course.path}/members/bulk-upsert", json=members("a", "b", "c"))
    assert put.json()["added"] == ["a", "b", "c"]
    path, wanted = f"{course.path}/members/reconcile", {**members("b", "d"), "remove_absent": True}
    wanted["members"][0]["email"] = f"new-{email}"
    tried = http.post(path, json=wanted | {"dry_run": True})
    expected = {"total": 2, "added": 1, "restored": 0, "revised": 1, "unchanged": 0, "removed": 2}
    assert (tried.status_code, tried.json()["counts"], tried.json()["dry_run"]) == (200, expected, True)
    assert course.members(at(tried))["count"] == 3
    done = http.post(path, json=wanted)
    assert done.json() == tried.json() | {"dry_run": False}
    found = {each["source_object_key"]: each["email"] for each in course.members(at(done))["members"]}
    assert found == {"b": f"new-{email}", "d": f"d-{email}"}
    again = http.post(path, json=wanted).json()["counts"]
    assert (again["unchanged"], again["total"]) == (2, 2)
    back = http.post(f"{course.path}/members/bulk-upsert", json=members("a")).json()
    assert (back["restored"], back["removed"]) == (["a"], [])


def test_every_wrong_field_has_its_code(http: httpx.Client, course: List, email: str) -> None:
    def refused(path: str, body: Any, method: str = "POST") -> tuple[int, dict[str, str]]:
        response = http.request(method, f"{course.path}{path}", json=body)
        return response.status_code, fields(response)

    some = {"source_object_key": "a", "email": email}
    for path in ("/members/bulk-upsert", "/members/reconcile"):
        assert refused(path, {}) == (400, {"members": "required"})
        assert refused(path, {"members": [some] * 10_001}) == (400, {"members": "too_many"})
        wrong = [some, some, {"source_object_key": " ", "email": email}, {"email": "nobody"}]
        assert refused(path, {"members": wrong}) == (
            400,
            {f"members.{n}.source_object_key": "required" for n in (2, 3)} | {"members.3.email": "invalid"},
        )
        assert refused(path, {"members": wrong[:2]}) == (400, {"members.1.source_object_key": "duplicate"})
    big = {"email": email, "metadata": {"x": "x" * 70_000}}
    assert refused("/members/a", big, "PUT") == (400, {"metadata": "too_large"})
    assert refused(f"/members/{'x' * 256}", big | {"metadata": {}}, "PUT") == (400, {"source_object_key": "too_long"})
    assert refused("/members/never", None, "DELETE") == (404, {"source_object_key": "not_found"})
    response = http.get(f"{course.path}/members", params={"limit": 501})
    assert fields(response) == {"limit": "must_be_between_1_and_500"}
    send = {"template_key": "never", "headers": {"To": "x"}, "from_email": "nobody"}
    status, codes = refused("/transactional-send", send)
    assert (status, codes.pop("idempotency_key"), codes["template_key"]) == (400, "required", "not_found")
    assert set(codes) == {"template_key", "headers.To", "from_email"}


def test_each_member_gets_one_message(http: httpx.Client, course: List, email: str) -> None:
    http.put("/api/transactional/templates/due", json=TEMPLATE)
    course.put("user-1", email, metadata={"score": 5})
    course.put("user-2", f"two-{email}")
    gone = course.put("user-3", f"three-{email}", metadata={"score": 3})
    http.delete(f"{course.path}/members/user-3")
    body = {"template_key": "due", "idempotency_key": f"due-{course.key}", "context": {"title": "Homework"}}
    sent = http.post(f"{course.around(2)}/transactional-send", json=body)
    assert (sent.status_code, gone.status_code) == (202, 200), sent.text
    assert sent.json()["counts"] == {"total": 2, "enqueued": 1, "skipped": 0, "replayed": 0, "failed": 1}
    assert sent.json()["errors"] == [{"source_object_key": "user-2", "errors": {"context.score": "required"}}]
    [made] = sent.json()["messages"]
    told = http.get(f"/api/transactional/messages/{made['id']}").json()["message"]
    assert (told["email"], told["subject"]) == (email, "Homework is due")
    assert told["idempotency_key"] == f"due-{course.key}:user-1"
    again = http.post(f"{course.around(2)}/transactional-send", json=body | {"context": {"title": "X", "score": 1}})
    assert again.json()["counts"] == {"total": 2, "enqueued": 1, "skipped": 0, "replayed": 1, "failed": 0}
    assert {each["source_object_key"]: each["id"] for each in again.json()["messages"]}["user-1"] == made["id"]


def test_a_list_that_is_only_in_the_request(http: httpx.Client, email: str) -> None:
    http.put("/api/transactional/templates/due", json=TEMPLATE)
    path = "/api/transient-recipient-lists/transactional-send"
    http.post("/api/contacts", json={"email": f"b-{email}", **COURSES, "suppression": {"hard_bounced": True}})
    people = [{"source_object_key": each, "email": f"{each}-{email}", "metadata": {"score": 1}} for each in "ab"]
    body = {"template_key": "due", "members": people, "context": {"title": "It"}}
    assert fields(http.post(path, json=body)) == {"idempotency_key": "required"}
    sent = http.post(path, json=body | {"idempotency_key": email}).json()
    assert [(each["status"], each["skip_reason"]) for each in sent["messages"]] == [
        ("queued", None),
        ("skipped", "hard_bounce"),
    ]
    again = http.post(path, json=body, headers={"Idempotency-Key": email})
    assert again.json()["counts"] == {"total": 2, "enqueued": 1, "skipped": 1, "replayed": 0, "failed": 0}
    third = http.post(path, json=body | {"idempotency_key": email}).json()
    assert third["counts"]["replayed"] == 2
