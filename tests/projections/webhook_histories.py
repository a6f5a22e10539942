"""Webhooks that nobody thought of: made, changed, switched, deleted and made again."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from domain import webhook as w
from domain.store.order import Order
from tests.domain.message.test_laws import times
from tests.projections.mail_histories import context

URLS = ["https://example.com/a", "https://example.com/b"]
KINDS = [w.SaveWebhook, w.SaveWebhook, w.SwitchOffGone, w.RotateSecret, w.PingWebhook, w.DeleteWebhook]


@st.composite
def a_webhook_order(draw: st.DrawFn, client_id: int) -> Order:
    kind: Any = draw(st.sampled_from(KINDS))
    key = draw(st.sampled_from(["main", "spare"]))
    said: dict[str, Any] = {"at": draw(times)}
    if kind in (w.SaveWebhook, w.SwitchOffGone):
        said["url"] = draw(st.sampled_from(URLS))
    if kind is w.SaveWebhook:
        said |= {"organization_id": 1, "client_id": client_id, "key": key}
        said["types"] = draw(st.sampled_from([None, (), ("contact.tagged",), ("contact.tagged", "contact.verified")]))
        said["is_active"] = draw(st.sampled_from([None, True, False]))
    return Order(
        decider=w.decider,
        command=kind(**said),
        context=context(1, client_id),
        key=w.natural_key(client_id, key),
    )


def a_webhooks_course(client_id: int = 21) -> st.SearchStrategy[list[Order]]:
    """What is said of a client's webhooks, one after the other."""
    return st.lists(a_webhook_order(client_id), min_size=1, max_size=6)
