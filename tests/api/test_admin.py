"""Tenants and keys over the admin API (contract, Administration)."""

from __future__ import annotations

import itertools

import httpx
import pytest

from tests.api.serving import Served, fields

ORGANIZATIONS = "/admin/api/organizations"
AUDIENCES = "/admin/api/audiences"
CLIENTS = "/admin/api/clients"
numbers = itertools.count(1)


@pytest.fixture
def organization(operator: httpx.Client) -> str:
    """The slug of a new organization."""
    slug = f"Org_{next(numbers)}-x"
    assert operator.post(ORGANIZATIONS, json={"slug": slug, "name": "An Organization"}).status_code == 201
    return slug


def test_an_organization(operator: httpx.Client, organization: str) -> None:
    (found,) = [o for o in operator.get(ORGANIZATIONS).json()["organizations"] if o["slug"] == organization]
    assert found["name"] == "An Organization"
    assert found["created_at"].endswith("Z")
    assert found["id"] > 0
    again = operator.post(ORGANIZATIONS, json={"slug": organization})
    assert (again.status_code, fields(again)) == (400, {"slug": "duplicate"})


def test_from_nothing_to_a_first_contact(served: Served, operator: httpx.Client, organization: str) -> None:
    audience = operator.post(AUDIENCES, json={"slug": "people", "organization": organization})
    assert audience.status_code == 201
    assert (audience.json()["name"], audience.json()["organization"]) == ("people", organization)
    made = operator.post(CLIENTS, json={"slug": "app", "organization": organization, "name": "The App"})
    assert (made.status_code, made.json()["is_active"]) == (201, True)
    key = operator.post(
        f"{CLIENTS}/app/keys", json={"name": "production", "notes": "rotates", "organization": organization}
    )
    assert key.status_code == 201
    with served.client(key.json()["key"]) as client:
        body = {"email": "first@example.com", "audience": "people", "client": "app"}
        assert client.post("/api/contacts", json=body).status_code == 200
    listed = operator.get(CLIENTS, params={"organization": organization}).json()["clients"]
    assert [(c["slug"], c["name"], c["is_active"]) for c in listed] == [("app", "The App", True)]
    audiences = operator.get(AUDIENCES, params={"organization": organization}).json()["audiences"]
    assert [a["slug"] for a in audiences] == ["people"]


def test_keys_are_named_shown_once_and_revoked(operator: httpx.Client, organization: str) -> None:
    operator.post(CLIENTS, json={"slug": "keyed", "organization": organization})
    path, of = f"{CLIENTS}/keyed/keys", {"organization": organization}
    first = operator.post(path, json={"name": "sync", **of}).json()
    taken = operator.post(path, json={"name": "sync", **of})
    assert (taken.status_code, fields(taken)) == (400, {"name": "duplicate"})
    second = operator.post(path, json={"name": "other", **of}).json()
    revoked = operator.delete(f"{path}/{first['public_id']}", params=of)
    assert (revoked.status_code, revoked.json()["revoked_at"] is None) == (200, False)
    assert operator.post(f"{path}/dm_{first['public_id']}/revoke", json=of).json() == revoked.json()
    assert operator.post(path, json={"name": "sync", **of}).status_code == 201
    listed = operator.get(path, params=of).json()["keys"]
    assert len(listed) == 3
    assert all("key" not in key for key in listed)
    assert {key["public_id"] for key in listed} >= {first["public_id"], second["public_id"]}
    unknown = operator.delete(f"{path}/unknown", params=of)
    assert (unknown.status_code, fields(unknown)) == (404, {"public_id": "not_found"})


def test_a_slug_that_several_organizations_have(operator: httpx.Client, organization: str) -> None:
    operator.post(ORGANIZATIONS, json={"slug": f"{organization}-2"})
    for owner in (organization, f"{organization}-2"):
        slug = f"twin-{organization}"
        assert operator.post(CLIENTS, json={"slug": slug, "organization": owner}).status_code == 201
    path = f"{CLIENTS}/twin-{organization}/keys"
    assert fields(operator.get(path)) == {"organization": "required"}
    assert operator.get(path, params={"organization": organization}).json() == {"keys": []}


@pytest.mark.parametrize(
    ("path", "said", "status", "expected"),
    [
        (ORGANIZATIONS, {}, 400, {"slug": "required"}),
        (ORGANIZATIONS, {"slug": " "}, 400, {"slug": "required"}),
        (ORGANIZATIONS, {"slug": 1, "name": 2}, 400, {"slug": "must_be_string", "name": "must_be_string"}),
        (ORGANIZATIONS, {"slug": "a b"}, 400, {"slug": "invalid"}),
        (ORGANIZATIONS, {"slug": "a/b"}, 400, {"slug": "invalid"}),
        (ORGANIZATIONS, {"slug": "ä"}, 400, {"slug": "invalid"}),
        (ORGANIZATIONS, {"slug": "a\nb"}, 400, {"slug": "invalid"}),
        (ORGANIZATIONS, {"slug": "x" * 121, "name": "y" * 121}, 400, {"slug": "too_long", "name": "too_long"}),
        (ORGANIZATIONS, {"slug": "good", "name": " "}, 400, {"name": "must_be_non_empty_string"}),
        (AUDIENCES, {}, 400, {"slug": "required", "organization": "required"}),
        (AUDIENCES, {"slug": "a", "organization": "nowhere"}, 400, {"organization": "not_found"}),
        (AUDIENCES, {"slug": "dtc-courses", "organization": "datatalksclub"}, 400, {"slug": "duplicate"}),
        (CLIENTS, {"slug": "dtc-courses", "organization": "datatalksclub"}, 400, {"slug": "duplicate"}),
        (f"{CLIENTS}/nobody/keys", {"name": "x"}, 404, {"slug": "not_found"}),
        (f"{CLIENTS}/dtc-courses/keys", {}, 400, {"name": "required"}),
        (f"{CLIENTS}/dtc-courses/keys", {"name": "x" * 121}, 400, {"name": "too_long"}),
        (f"{CLIENTS}/dtc-courses/keys", {"name": "x", "notes": 1}, 400, {"notes": "must_be_string"}),
        (f"{CLIENTS}/nobody/deactivate", {}, 404, {"slug": "not_found"}),
        (f"{CLIENTS}/dtc-courses/activate", {"organization": "nowhere"}, 400, {"organization": "not_found"}),
    ],
)
def test_every_wrong_field_has_its_code(
    operator: httpx.Client, path: str, said: dict[str, object], status: int, expected: dict[str, str]
) -> None:
    response = operator.post(path, json=said)
    assert (response.status_code, fields(response)) == (status, expected)


def test_lists_of_an_organization_that_is_not_there(operator: httpx.Client) -> None:
    for path in (AUDIENCES, CLIENTS):
        response = operator.get(path, params={"organization": "nowhere"})
        assert (response.status_code, fields(response)) == (400, {"organization": "not_found"})
