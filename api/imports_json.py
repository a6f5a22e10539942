"""``POST /api/contacts/imports``: many upserts in one JSON body, each with its own success or failure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.responses import Response

from api.answer import Answer
from api.call import Call
from api.contacts import EmailValidation, Status, Suppression, suppressions, verdict
from api.errors import Invalid
from api.fields import Email, Slug, TagNames, said
from api.idempotency import HEADER as IDEMPOTENCY_KEY
from api.idempotency import body_digest
from api.imports_csv import text
from api.imports_run import Run, scopes, wish
from api.readers import decode_json, read_object
from api.scalars import Errors
from api.scope import check_scope
from domain.contact import UpsertContact
from domain.email_address import LIMIT, normalize
from domain.import_row import ImportRow
from domain.import_scope import Scopes
from domain.storable import UNSTORABLE


class ImportItem(msgspec.Struct, kw_only=True):
    """An upsert. ``subscription_status`` is another name of ``status``; the scope may be the whole import's."""

    email: Email
    audience: Slug | UnsetType = UNSET
    client: Slug | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    subscription_status: Status | UnsetType = UNSET
    tags: TagNames | UnsetType = UNSET
    verified: bool | UnsetType = UNSET
    email_validation: EmailValidation | UnsetType = UNSET
    suppression: Suppression | UnsetType = UNSET


class JsonImport(msgspec.Struct, kw_only=True):
    """Upserts, and what holds for all of them."""

    contacts: list[ImportItem]
    audience: Slug | UnsetType = UNSET
    client: Slug | UnsetType = UNSET
    dry_run: bool | UnsetType = UNSET
    idempotency_key: Annotated[str, Meta(max_length=255)] | UnsetType = UNSET


class Common(msgspec.Struct, kw_only=True):
    """A :class:`JsonImport` without its items, which are read one by one."""

    audience: Slug | UnsetType = UNSET
    client: Slug | UnsetType = UNSET
    dry_run: bool | UnsetType = UNSET
    idempotency_key: Annotated[str, Meta(max_length=255)] | UnsetType = UNSET


async def import_json(call: Call) -> Answer | Response:
    """Carry the items out. Raises Invalid when the request as a whole is wrong: then nothing is written."""
    call.expect_json()
    body = await call.read()
    key = call.header(IDEMPOTENCY_KEY)
    work = partial(carry_out, call)
    return await (work() if key is None else call.wiring.idempotency.once(call, key, body_digest(body), work))


async def carry_out(call: Call) -> Answer | Response:
    """Read the body and carry its items out."""
    body, errors = decode_json(call.raw_body), Errors()
    asked = read_object(Common, body, errors)
    items = body.get("contacts") if isinstance(body, dict) else None
    if isinstance(body, dict):
        check_scope({k: v for k, v in body.items() if v}, call.caller, call.wiring.directory.now, errors)
        if not isinstance(items, list):
            errors["contacts"] = "required" if items is None else "must_be_list"
    if errors or asked is None or not isinstance(items, list):
        raise Invalid(errors)
    wanted = wish(call, dry_run=bool(said(asked.dry_run)), idempotency_key=text(asked.idempotency_key))
    rows = JsonRows(scopes(call, text(asked.audience), text(asked.client)))
    run = Run(call, rows.read(items), wanted)
    return run.answer_in_lines(lambda: None) if wanted.in_lines else await run.answer()


class JsonRows:
    """Reads items as rows."""

    def __init__(self, resolver: Scopes) -> None:
        self._scopes = resolver

    def read(self, items: list[Any]) -> Iterator[ImportRow]:
        """Each item, read or refused."""
        for item, given in enumerate(items, 1):
            errors = Errors()
            built = read_object(ImportItem, given, errors)
            audience_id = self._audience(given, errors)
            if errors or built is None:
                yield ImportRow(item=item, email=shown(given), errors=errors)
            else:
                said = self._upsert(built, audience_id)
                yield ImportRow(item=item, email=said.email, said=said)

    def _audience(self, given: Any, errors: Errors) -> int:
        if not isinstance(given, dict):
            errors.pop("body", None)
            errors["contact"] = "must_be_object"
            return 0
        audience, client = (
            slug.strip() if isinstance(slug := given.get(name), str) else "" for name in ("audience", "client")
        )
        before = dict(errors)
        number = self._scopes.audience_id(audience, client, errors)
        errors.update(before)
        return number

    def _upsert(self, item: ImportItem, audience_id: int) -> UpsertContact:
        caller = self._scopes.caller
        return UpsertContact(
            at=datetime.now(UTC),
            organization_id=caller.organization_id,
            audience_id=audience_id,
            client_id=caller.client_id,
            email=normalize(item.email),
            status=said(item.subscription_status) or said(item.status),
            verified=said(item.verified),
            tags=tuple(said(item.tags) or ()),
            validation=verdict(item.email_validation),
            suppressions=suppressions(item.suppression),
        )


def shown(given: Any) -> str:
    """A wrong item's address, as far as an answer can show it."""
    email = given.get("email") if isinstance(given, dict) else None
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", email).strip()[:LIMIT] if isinstance(email, str) else ""
