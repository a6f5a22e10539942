"""What `POST /events` is asked to publish."""

from typing import Annotated, Any, Final

import msgspec

from config.local.ses.certificate import SignatureVersion
from config.local.ses.events import KINDS, EventType, Json, merged
from config.local.ses.mail import Mail
from config.local.ses.sns import ConfirmationType, Signature
from config.local.ses.wire import Destination

NO_MAIL: Final = Mail("", 0.0, "", Destination(), None)


class Order(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """What `POST /events` takes.

    `details` is merged into the type's own object, `event` into the whole SES event, `envelope` into the SNS envelope
    before it is signed and `forged` after that (JSON merge patches: null takes a member out). `unknown_message` lets
    `message_id` be one that was never sent. `copies` are posted at once, with one MessageId.
    """

    type: EventType | ConfirmationType
    message_id: str = ""
    recipients: tuple[str, ...] = ()
    details: dict[str, Any] = {}
    event: dict[str, Any] = {}
    unknown_message: bool = False
    signature_version: SignatureVersion = "1"
    signature: Signature = "right"
    sns_message_id: str = ""
    topic_arn: str = ""
    envelope: dict[str, Any] = {}
    forged: dict[str, Any] = {}
    copies: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    webhook_url: str = ""


def read_order(body: bytes) -> Order:
    """Return the order of a request's body.

    Members of the type's own object may stand in the order itself, as SES names them or in snake case: `bounceType`
    and `bounce_type` are `details.bounceType`; and so may the object as a whole, `bounce`. Raises
    `msgspec.ValidationError` for a member that is none of these.
    """
    given = msgspec.json.decode(body, type=dict[str, Any])
    own, build = KINDS.get(given.get("type", ""), ("", None))
    names = set(build(NO_MAIL, (), "")) if build else set()
    details: Json = {}
    for name in [name for name in given if name not in Order.__struct_fields__]:
        if name == own and isinstance(given[name], dict):
            details = merged(details, given.pop(name))
        elif _camel(name) in names:
            details[_camel(name)] = given.pop(name)
    if details:
        given["details"] = merged(details, given.get("details", {}))
    return msgspec.convert(given, Order)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
