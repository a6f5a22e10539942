"""The open pixel and the tracked links of a mail: what their signed tokens name is recorded, then answered."""

from __future__ import annotations

from base64 import b64decode
from typing import Final
from urllib.parse import quote, urlsplit

from api.answer import Answer, Headers
from api.call import Call
from api.errors import ApiError
from domain.mail_event import MailEvent
from domain.store.feedback import Told, Verdict
from domain.store.order import Failed

GIF: Final = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One transparent point."""
SUFFIX: Final = ".gif"
DISCREET: Final = ((b"referrer-policy", b"no-referrer"), (b"x-robots-tag", b"noindex"))
"""The address of a token is nobody else's business."""
PIXEL: Final = (*DISCREET, (b"x-content-type-options", b"nosniff"))
PRINTABLE: Final = "".join(map(chr, range(0x21, 0x7F)))


async def opened(call: Call) -> Answer:
    """Give the pixel, and record that the mail was opened; HEAD records nothing."""
    token = call.given_names["token"]
    link = call.wiring.site.signer.opened(token.removesuffix(SUFFIX)) if token.endswith(SUFFIX) else None
    if link is None:
        return pixel(404)
    if (
        call.method != "HEAD"
        and await heard(call, MailEvent(kind="Open", at=call.now, stream=link.stream)) != "recorded"
    ):
        return pixel(404)
    return pixel(200)


async def clicked(call: Call) -> Answer:
    """Lead to where the link in the mail led, and nowhere else, and record the click; HEAD records nothing."""
    link = call.wiring.site.signer.clicked(call.given_names["token"])
    location = None if link is None else destination(link.url)
    if link is None or location is None:
        raise ApiError(400, "invalid_tracking_redirect", "The link is not one of our mails, or was changed.")
    if call.method != "HEAD":
        await heard(call, MailEvent(kind="Click", at=call.now, stream=link.stream, url=link.url, link=link.number))
    headers: Headers = (*DISCREET, (b"location", location))
    return Answer(body=b"", status=302, headers=headers, content_type=b"text/plain; charset=utf-8")


async def heard(call: Call, event: MailEvent) -> Verdict:
    """Record an event at a person's own request. Raises what kept the log from taking it."""
    verdict = await call.wiring.feedback.submit(Told(event, "person", call.correlation_id))
    if isinstance(verdict, Failed):
        raise verdict.error
    return verdict


def pixel(status: int) -> Answer:
    """The picture, whatever became of the request: no mail shows a broken one."""
    return Answer(body=GIF, status=status, content_type=b"image/gif", headers=PIXEL)


def destination(url: str) -> bytes | None:
    """The URL as a header bears it, in ASCII (RFC 3986); None for one that is not of the web or would end the line."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.netloc or any(map(str.isspace, url)) or not url.isprintable():
        return None
    return quote(url, safe=PRINTABLE).encode("ascii")
