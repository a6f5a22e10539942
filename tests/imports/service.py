"""What tests ask of a running service."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx

from api.directory import loaded
from api.tenancy import Deed
from domain.store.log import Store
from domain.store.order import Context
from tests.waiting import wait_until

CLIENT = "dtc-courses"


class Service:
    """The service over HTTP, as the client ``dtc-courses``."""

    def __init__(self, http: httpx.Client, store: Store, conninfo: str) -> None:
        self.http = http
        self.store = store
        self.conninfo = conninfo
        self.position = "0"
        self._numbers = count(1)

    def make_audience(self) -> str:
        """The slug of a new audience of the client's organization."""
        slug = f"list-{next(self._numbers)}"
        owner = loaded(self.store).organizations["datatalksclub"]
        self.store.handle(Deed(Context(source="cli"), datetime.now(UTC)).create_audience(owner, slug, slug))
        wait_until(lambda: self.knows(slug), f"the API to know {slug}")
        return slug

    def knows(self, audience: str) -> bool:
        """Whether the API has heard of the audience."""
        scope = {"audience": audience, "client": CLIENT, "email": "nobody@example.com"}
        return self.http.get("/api/contacts/status", params=scope).is_success

    def post(self, path: str, **request: Any) -> httpx.Response:
        """Post something whose effects later reads show."""
        response = self.http.post(path, **request)
        self.position = response.headers.get("datamailer-position", self.position)
        return response

    def import_csv(self, text: str | bytes, audience: str, **fields: str) -> httpx.Response:
        """Send a file as a form."""
        data = {"audience": audience, "client": CLIENT, **fields}
        content = text if isinstance(text, bytes) else text.encode()
        return self.post("/api/contacts/imports/csv", files={"file": ("contacts.csv", content)}, data=data)

    def imported(self, text: str | bytes, audience: str, **fields: str) -> Any:
        """The answer to a file that is taken."""
        response = self.import_csv(text, audience, **fields)
        assert response.status_code == 200, response.text
        return response.json()

    def export(self, audience: str, **filters: str) -> httpx.Response:
        """The exported file, or what is wrong with the filters."""
        return self._read("/api/contacts.csv", audience, filters)

    def page(self, audience: str, **filters: str) -> Any:
        """A page of contacts."""
        response = self._read("/api/contacts", audience, filters)
        assert response.status_code == 200, response.text
        return response.json()

    def emails(self, audience: str, **filters: str) -> list[str]:
        """The addresses on the first page."""
        return [contact["email"] for contact in self.page(audience, **filters)["contacts"]]

    def _read(self, path: str, audience: str, filters: dict[str, str]) -> httpx.Response:
        scope = {"audience": audience, "client": CLIENT}
        return self.http.get(path, params=scope | filters, headers={"datamailer-min-position": self.position})
