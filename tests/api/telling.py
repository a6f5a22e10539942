"""A service that trusts a local SES, and what SES is told to tell it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx

from config.local.ses.certificate import Signer
from config.local.ses.client import LocalSes
from config.local.ses.process import local_ses
from config.local.ses.settings import DEFAULT_TOPIC
from config.local.ses.sns import notification, signed
from domain.mail import STREAM_TAG
from domain.store.log import Store
from tests.api.posted import Posted
from tests.api.serving import MASTER_KEY_TEXT, Served, serving, settings_of

OTHER_TOPIC: Final = "arn:aws:sns:us-east-1:000000000000:another"


class Stand(NamedTuple):
    """The service, a local SES whose certificate it trusts, and the store."""

    served: Served
    ses: LocalSes
    signer: Signer
    store: Store

    @property
    def url(self) -> str:
        return f"{self.served.base_url}/webhooks/ses"

    def tell(self, mail: Posted, kind: Any, **options: Any) -> int:
        """Have SES post an event of a mail that it sent; gives the answer's status."""
        tagged = {"mail": {"tags": {STREAM_TAG: [str(mail.stream)]}}}
        options.setdefault("recipients", (mail.email,))
        options["event"] = {**tagged, **options.get("event", {})}
        ses_id = f"ses-{mail.stream.hex}"
        return self.ses.event(ses_id, kind, unknown_message=True, webhook_url=self.url, **options).status

    def post(self, envelope: dict[str, Any]) -> httpx.Response:
        """Post an envelope as SNS does."""
        headers = {"Content-Type": "text/plain; charset=UTF-8"}
        return httpx.post(self.url, content=json.dumps(envelope), headers=headers, timeout=30)

    def sealed(self, said: object, **members: Any) -> dict[str, Any]:
        """A notification of any text, signed right."""
        text = said if isinstance(said, str) else json.dumps(said)
        return signed({**notification(text, DEFAULT_TOPIC, self.ses.url), **members}, self.signer, "2", self.ses.url)


@contextmanager
def standing(conninfo: str, folder: Path) -> Iterator[Stand]:
    """Have both run for the length of a ``with`` block."""
    with closing(Store(conninfo, MASTER_KEY_TEXT)) as store, local_ses(folder) as ses:
        more = {"ses_topic_arns": (DEFAULT_TOPIC,), "ses_certificate_url": f"{ses.url}/certificate.pem"}
        with serving(settings_of(conninfo, **more)) as served:
            yield Stand(served, ses, Signer.kept_in(folder / "ses"), store)
