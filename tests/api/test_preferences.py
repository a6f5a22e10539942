"""Category preferences (contract, Contacts)."""

from __future__ import annotations

import httpx
import pytest

from tests.api.conftest import Upsert
from tests.api.serving import COURSES, fields

PATH = "/api/contacts/preferences"


def read(http: httpx.Client, email: str, **query: str) -> httpx.Response:
    return http.get(PATH, params={"email": email, **COURSES, **query})


def test_a_category_never_set_is_enabled(http: httpx.Client, upsert: Upsert, email: str) -> None:
    upsert(status="subscribed")
    response = read(http, email.upper(), category_tags="deadlines, News Letter,")
    assert response.status_code == 200
    assert response.json() == {
        "email": email,
        "audience": "dtc-courses",
        "client": "dtc-courses",
        "categories": [
            {"tag": "deadlines", "label": "deadlines", "enabled": True},
            {"tag": "news-letter", "label": "news-letter", "enabled": True},
        ],
        "global_unsubscribed": False,
        "suppressed": False,
        "suppression_reasons": [],
    }


def test_choices_are_kept(http: httpx.Client, upsert: Upsert, email: str) -> None:
    upsert(status="subscribed")
    choices = [{"tag": "deadlines", "enabled": False, "label": "Deadlines"}, {"tag": "news", "enabled": True}]
    written = http.put(PATH, json={"email": email, **COURSES, "categories": choices, "reason": "in the profile"})
    assert written.status_code == 200
    assert written.json()["categories"] == [
        {"tag": "deadlines", "label": "Deadlines", "enabled": False},
        {"tag": "news", "label": "news", "enabled": True},
    ]
    assert int(written.headers["Datamailer-Position"]) > 0
    assert read(http, email).json() == written.json()
    assert read(http, email, category_tags="deadlines").json()["categories"] == written.json()["categories"][:1]


def test_a_suppressed_contact_enables_nothing(http: httpx.Client, upsert: Upsert, email: str) -> None:
    upsert(status="subscribed", suppression={"hard_bounced": True, "complained": True, "global_unsubscribed": True})
    shown = read(http, email).json()
    assert (shown["suppressed"], shown["global_unsubscribed"]) == (True, True)
    assert shown["suppression_reasons"] == ["global_unsubscribed", "hard_bounce", "complaint"]
    enabling = [{"tag": "a", "enabled": False}, {"tag": "b", "enabled": True}]
    response = http.put(PATH, json={"email": email, **COURSES, "categories": enabling})
    assert response.status_code == 409
    assert fields(response) == {"categories.1.enabled": "suppressed_contact_cannot_be_enabled"}
    disabling = [{"tag": "a", "enabled": False}]
    assert http.put(PATH, json={"email": email, **COURSES, "categories": disabling}).status_code == 200


def test_a_contact_that_is_not_there(http: httpx.Client, email: str) -> None:
    put = http.put(PATH, json={"email": email, **COURSES, "categories": []})
    for response in (read(http, email), put):
        assert (response.status_code, fields(response)) == (404, {"email": "not_found"})


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"categories": None}, {"categories": "must_be_list"}),
        ({"categories": {}}, {"categories": "must_be_list"}),
        ({"categories": [1]}, {"categories.0": "must_be_object"}),
        ({"categories": [{}]}, {"categories.0.tag": "required", "categories.0.enabled": "required"}),
        (
            {"categories": [{"tag": 1, "enabled": 1, "label": 1}]},
            {
                "categories.0.tag": "must_be_string",
                "categories.0.enabled": "must_be_boolean",
                "categories.0.label": "must_be_string",
            },
        ),
        ({"categories": [{"tag": "!", "enabled": True}]}, {"categories.0.tag": "invalid"}),
        ({"categories": [{"tag": " ", "enabled": True}]}, {"categories.0.tag": "required"}),
        ({"categories": [{"tag": "x" * 121, "enabled": True}]}, {"categories.0.tag": "too_long"}),
        ({"categories": [{"tag": "a", "enabled": True, "label": "x" * 256}]}, {"categories.0.label": "too_long"}),
        (
            {"categories": [{"tag": "a", "enabled": True}, {"tag": "A", "enabled": True}]},
            {"categories.1.tag": "duplicate"},
        ),
        ({"categories": [{"tag": "a", "enabled": True}] * 501}, {"categories": "too_many"}),
        ({"categories": [], "reason": 1}, {"reason": "must_be_string"}),
        ({}, {"categories": "required"}),
    ],
)
def test_every_wrong_field_has_its_code(
    http: httpx.Client, upsert: Upsert, email: str, said: dict[str, object], expected: dict[str, str]
) -> None:
    upsert()
    response = http.put(PATH, json={"email": email, **COURSES, **said})
    assert (response.status_code, fields(response)) == (400, expected)


def test_category_tags_that_are_none(http: httpx.Client, upsert: Upsert, email: str) -> None:
    upsert()
    assert fields(read(http, email, category_tags="a,!!!")) == {"category_tags": "invalid"}
    assert fields(read(http, email, category_tags="x" * 121)) == {"category_tags": "too_long"}
