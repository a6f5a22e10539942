"""The three tag endpoints (seeds, Tags)."""

from __future__ import annotations

import httpx
import pytest

from tests.api.conftest import Upsert
from tests.api.serving import COURSES, LABS, fields


def test_replacing_adding_and_removing(http: httpx.Client, contact_id: int) -> None:
    path = f"/api/contacts/{contact_id}/tags"
    replaced = http.put(path, json={**COURSES, "tags": ["Course ML", "b", "Course-ML"]})
    assert replaced.status_code == 200
    assert replaced.json()["tags"] == ["b", "course-ml"]
    assert replaced.json()["contact_id"] == contact_id
    added = http.post(f"{path}/Zoom%20Camp", json=COURSES)
    assert added.json()["tags"] == ["b", "course-ml", "zoom-camp"]
    removed = http.request("DELETE", f"{path}/Course ML", json=COURSES)
    assert removed.json()["tags"] == ["b", "zoom-camp"]
    assert http.put(path, json={**COURSES, "tags": []}).json()["tags"] == []


def test_removing_a_tag_that_is_not_there_is_quiet(http: httpx.Client, contact_id: int) -> None:
    response = http.request("DELETE", f"/api/contacts/{contact_id}/tags/unheard-of", json=COURSES)
    assert (response.status_code, response.json()["tags"]) == (200, [])


def test_a_delete_may_name_its_scope_in_the_query(http: httpx.Client, upsert: Upsert) -> None:
    number = upsert(tags=["a", "b"]).json()["contact_id"]
    response = http.delete(f"/api/contacts/{number}/tags/a", params=COURSES)
    assert response.json()["tags"] == ["b"]
    assert fields(http.delete(f"/api/contacts/{number}/tags/a")) == {"audience": "required", "client": "required"}


def test_tags_are_the_audiences(http: httpx.Client, upsert: Upsert, email: str) -> None:
    number = upsert(tags=["a"]).json()["contact_id"]
    club = {**COURSES, "audience": "datatalks-club"}
    http.post("/api/contacts", json={"email": email, **club, "tags": ["b"]})
    assert http.put(f"/api/contacts/{number}/tags", json={**club, "tags": ["c"]}).json()["tags"] == ["c"]
    assert upsert().json()["tags"] == ["a"]


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        (None, "must_be_list"),
        ("a", "must_be_list"),
        ({"a": 1}, "must_be_list"),
        ([""], "must_be_non_empty_strings"),
        (["a", 5], "must_be_non_empty_strings"),
        (["a", "  "], "must_be_non_empty_strings"),
        (["!!!"], "invalid"),
        (["a\x00b"], "invalid"),
        (["y" * 121], "too_long"),
    ],
)
def test_lists_that_are_none(http: httpx.Client, contact_id: int, tags: object, code: str) -> None:
    response = http.put(f"/api/contacts/{contact_id}/tags", json={**COURSES, "tags": tags})
    assert (response.status_code, fields(response)) == (400, {"tags": code})


def test_a_list_is_required(http: httpx.Client, contact_id: int) -> None:
    assert fields(http.put(f"/api/contacts/{contact_id}/tags", json=COURSES)) == {"tags": "required"}


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    ("slug", "code"),
    [
        ("", "required"),
        ("/", "required"),
        ("/%20", "required"),
        ("/%20/", "required"),
        ("/!!!", "invalid"),
        ("/%E6%97%A5%E6%9C%AC", "invalid"),
        ("/" + "x" * 121, "too_long"),
    ],
)
def test_tags_that_are_none(http: httpx.Client, contact_id: int, method: str, slug: str, code: str) -> None:
    response = http.request(method, f"/api/contacts/{contact_id}/tags{slug}", json=COURSES)
    assert (response.status_code, fields(response)) == (400, {"tag": code})


@pytest.mark.parametrize(("method", "path"), [("PUT", ""), ("POST", "/a"), ("DELETE", "/a")])
def test_the_error_table_of_the_seeds(
    http: httpx.Client, labs: httpx.Client, contact_id: int, method: str, path: str
) -> None:
    said = {"tags": ["a"]} if method == "PUT" else {}

    def refused(client: httpx.Client, number: object, scope: dict[str, str]) -> tuple[int, dict[str, str]]:
        response = client.request(method, f"/api/contacts/{number}/tags{path}", json={**said, **scope})
        return response.status_code, fields(response)

    assert refused(http, 987654321, COURSES) == (404, {"contact_id": "not_found"})
    assert refused(labs, contact_id, LABS) == (404, {"contact_id": "not_found"})
    assert refused(http, contact_id, {}) == (400, {"audience": "required", "client": "required"})
    assert refused(http, contact_id, {**COURSES, "audience": "  "}) == (400, {"audience": "required"})
    assert refused(http, contact_id, {**COURSES, "audience": "nowhere"}) == (400, {"audience": "not_found"})
    assert refused(http, contact_id, {**COURSES, "audience": "ai-shipping-labs"}) == (400, {"audience": "not_found"})
    assert refused(http, contact_id, {**COURSES, "client": "dtc-newsletter"}) == (403, {"client": "forbidden"})
