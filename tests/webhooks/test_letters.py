"""Letters are made of the log as it is when they are sent: claims may be older than what was switched off since."""

from __future__ import annotations

from consumers.webhook_claims import Claimed
from consumers.webhook_letters import compose
from domain import client, webhook
from domain.store.log import Store
from tests.store.conftest import NOON
from tests.webhooks.scene import hook, switched, told

URL = "http://127.0.0.1:9/hook"


def test_what_was_claimed_is_held_while_the_client_or_the_webhook_is_off(store: Store) -> None:
    number = hook(store, URL)
    claim = Claimed(number, told(store, webhook.PingWebhook(at=NOON)).position, 0)
    assert [letter.claimed for letter in compose(store, [claim]).ready] == [claim]
    switched(store, client.DeactivateClient)
    assert compose(store, [claim]) == ([], [claim], [])
    switched(store, client.ActivateClient)
    assert [letter.claimed for letter in compose(store, [claim]).ready] == [claim]
    hook(store, URL, is_active=False)
    assert compose(store, [claim]) == ([], [claim], [])
