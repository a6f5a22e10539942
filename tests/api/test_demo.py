"""The demo data: every state is there, and adding it again changes nothing."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from api.demo import KEYS, add_demo
from api.demo_contacts import PEOPLE
from domain.client import SendersReplaced
from domain.store.log import Store
from tests.api.serving import COURSES, LABS, MASTER_KEY_TEXT, Served, serving, settings_of

NEWS = {"audience": "datatalks-club", "client": "dtc-newsletter"}
CLUB_COURSES = {"audience": "datatalks-club", "client": "dtc-courses"}


@pytest.fixture(scope="module")
def shown(served: Served) -> Any:
    """Ask for a demo contact in a scope."""

    def status(name: str, scope: dict[str, str]) -> dict[str, Any]:
        with served.client(KEYS[scope["client"]]) as http:
            query = {"email": f"{name}@example.com", **scope}
            found: dict[str, Any] = http.get("/api/contacts/status", params=query).json()
            return found

    return status


def test_about_a_dozen_people(shown: Any) -> None:
    assert 10 <= len(PEOPLE) <= 14
    assert shown("learner", COURSES)["can_send_marketing"] is True
    assert shown("unverified", NEWS)["client"]["verified"] is False
    assert shown("pending", NEWS)["client"]["status"] == "pending"
    assert shown("globally-unsubscribed", NEWS)["global_unsubscribed"] is True
    assert shown("hard-bounced", NEWS)["hard_bounced"] is True
    assert shown("complained", NEWS)["complained"] is True
    assert shown("client-unsubscribed", NEWS)["client"]["unsubscribe_reason"] == "not interested"
    assert shown("audience-unsubscribed", NEWS)["audience"]["status"] == "unsubscribed"
    assert shown("manually-invalid", NEWS)["email_validation"]["status"] == "manually_invalid"
    assert shown("several-audiences", LABS)["exists"] is True


def test_one_person_with_an_answer_of_its_own_for_each_product(shown: Any) -> None:
    news, courses = shown("alice", NEWS), shown("alice", CLUB_COURSES)
    assert news["contact_id"] == courses["contact_id"]
    assert (news["client"]["status"], courses["client"]["status"]) == ("subscribed", "unsubscribed")
    assert news["audience"]["status"] == courses["audience"]["status"] == "subscribed"


def test_adding_it_again_changes_nothing_that_has_become_since(database: str) -> None:
    store = Store(database, MASTER_KEY_TEXT)
    add_demo(store)
    with serving(settings_of(database)) as served, served.client() as http:
        said = {"email": "learner@example.com", **COURSES, "scope": "client"}
        assert http.post("/api/subscriptions/unsubscribe", json=said).status_code == 200
        before = store.recorder.head()
        add_demo(store)
        assert store.recorder.head() == before
    store.close()


def test_every_client_has_its_sender(demo_database: str) -> None:
    store = Store(demo_database, MASTER_KEY_TEXT)
    recorded = store.open(store.read_kinds(3, 3))
    store.close()
    defaults = [event.default_sender_id for _, event in recorded if isinstance(event, SendersReplaced)]
    assert sorted(defaults) == ["courses", "hello", "newsletter"]


def test_there_are_no_demo_keys_unless_they_were_asked_for(database: str) -> None:
    with serving(settings_of(database)) as served:
        for key in KEYS.values():
            with served.client(key) as http:
                response: httpx.Response = http.get("/api/contacts/status")
                assert response.json()["error"]["code"] == "invalid_api_key"
