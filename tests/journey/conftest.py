"""The whole service on the demo data: the API over HTTP, the consumers in threads, the local SES in its process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from api.demo import add_demo
from bench.stack import free_port
from config.local.postgres import Postgres
from config.local.ses.client import LocalSes
from config.local.ses.process import local_ses
from config.local.supervisor import LOCAL_MAIL
from config.settings import Settings
from consumers.__main__ import CONSUMERS
from domain.store.log import Store
from tests.api.serving import MASTER_KEY_TEXT, serving, settings_of
from tests.conftest import cloned
from tests.consumers.running import running
from tests.imports.service import Service


class Whole(Service):
    """The service, its local SES, and its consumers to be started."""

    def __init__(self, service: Service, ses: LocalSes, settings: Settings) -> None:
        super().__init__(service.http, service.store, service.conninfo)
        self.ses = ses
        self.settings = settings

    def consuming(self, *names: str) -> AbstractContextManager[None]:
        """The consumers of these names run for the length of a ``with`` block."""
        return running(*(CONSUMERS[name](self.settings) for name in names))

    def read(self, path: str, **query: Any) -> Any:
        """What the service answers once all of the log is reflected."""
        headers = {"datamailer-min-position": str(self.store.recorder.head())}
        response = self.http.get(path, params=query, headers=headers)
        assert response.status_code == 200, response.text
        return response.json()

    def pages(self, path: str, member: str, **query: Any) -> list[dict[str, Any]]:
        """All items of a list, page by page."""
        found: list[dict[str, Any]] = []
        cursor: str | None = "0"
        while cursor is not None:
            page = self.read(path, limit=400, cursor=cursor, **query)
            found += page[member]
            cursor = page["next_cursor"]
        return found


@pytest.fixture
def whole(postgres: Postgres, template: str, tmp_path: Path) -> Iterator[Whole]:
    with ExitStack() as stack:
        conninfo = stack.enter_context(cloned(postgres, template))
        store = stack.enter_context(closing(Store(conninfo, MASTER_KEY_TEXT)))
        add_demo(store)
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        settings = settings_of(
            conninfo,
            public_url="https://mail.example.com",
            ses_endpoint_url=url,
            ses_certificate_url=f"{url}/certificate.pem",
            ses_topic_arns=(LOCAL_MAIL["SES_TOPIC_ARNS"],),
            ses_configuration_set=LOCAL_MAIL["SES_CONFIGURATION_SET"],
        )
        served = stack.enter_context(serving(settings))
        webhook = f"{served.base_url}/webhooks/ses"
        ses = stack.enter_context(local_ses(tmp_path, webhook_url=webhook, LOCAL_SES_PORT=str(port)))
        service = Service(stack.enter_context(served.client()), store, conninfo)
        yield Whole(service, ses, settings)
