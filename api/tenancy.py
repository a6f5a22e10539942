"""Orders that make and change organizations, audiences, clients and keys, for the admin API and the command line."""

from __future__ import annotations

from datetime import datetime

import msgspec

from api.directory import Client, Named
from domain import api_key, audience, client, organization
from domain.sender import Sender
from domain.store.log import Store
from domain.store.order import Context, Order


class Deed(msgspec.Struct, frozen=True):
    """Who acts, and when."""

    context: Context
    at: datetime

    def create_organization(self, slug: str, name: str) -> Order:
        """A new organization."""
        command = organization.CreateOrganization(at=self.at, slug=slug, name=name or slug)
        return Order(decider=organization.decider, command=command, context=self.context, key=slug)

    def create_audience(self, owner: Named, slug: str, name: str) -> Order:
        """A new audience of an organization."""
        command = audience.CreateAudience(at=self.at, organization_id=owner.number, slug=slug, name=name or slug)
        return Order(
            decider=audience.decider, command=command, context=self._within(owner.number), key=f"{owner.number}/{slug}"
        )

    def create_client(self, owner: Named, slug: str, name: str) -> Order:
        """A new client of an organization."""
        command = client.CreateClient(at=self.at, organization_id=owner.number, slug=slug, name=name or slug)
        return Order(
            decider=client.decider, command=command, context=self._within(owner.number), key=f"{owner.number}/{slug}"
        )

    def switch_client(self, app: Client, *, active: bool) -> Order:
        """Let a client call, or stop it."""
        command = client.ActivateClient(at=self.at) if active else client.DeactivateClient(at=self.at)
        return self._of_client(app, command)

    def issue_key(self, app: Client, key: api_key.ApiKey, pepper: bytes, *, name: str, notes: str = "") -> Order:
        """Give a client a key, of which only the hash is kept."""
        hashed = api_key.key_hash(key, pepper)
        command = client.IssueApiKey(at=self.at, public_id=key.public_id, key_hash=hashed, name=name, notes=notes)
        return self._of_client(app, command)

    def replace_senders(self, app: Client, senders: tuple[Sender, ...], default_sender_id: str) -> Order:
        """Have a client's mail come from these senders."""
        command = client.ReplaceSenders(at=self.at, senders=senders, default_sender_id=default_sender_id)
        return self._of_client(app, command)

    def revoke_key(self, app: Client, public_id: str) -> Order:
        """Make a key open nothing any more."""
        return self._of_client(app, client.RevokeApiKey(at=self.at, public_id=public_id))

    def _of_client(self, app: Client, command: client.Command) -> Order:
        context = msgspec.structs.replace(self.context, organization_id=app.organization_id)
        return Order(decider=client.decider, command=command, context=context, number=app.number)

    def _within(self, organization_id: int) -> Context:
        return msgspec.structs.replace(self.context, organization_id=organization_id)


def key_pepper(store: Store) -> bytes:
    """The secret under which API keys are hashed: derived from the database's root key, it dies with it."""
    return store.keyring.digest("api keys", "pepper").bytes
