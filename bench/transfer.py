"""Large bodies over HTTP, sent whole and read as they come."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from bench.row import RowFailed
from bench.scopes import Scope
from bench.stand import Stand

BLOCK = 1 << 18
SHOWN = 400
SECONDS = 300.0
HTTP_OK = 200
BOUNDARY = "----------------------bench"


def multipart(scope: Scope, file: bytes) -> bytes:
    """A form with a CSV file and its scope."""
    fields = {"audience": scope.audience, "client": scope.client}
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    disposition = 'Content-Disposition: form-data; name="file"; filename="contacts.csv"\r\nContent-Type: text/csv'
    head = "".join(parts) + f"--{BOUNDARY}\r\n{disposition}\r\n\r\n"
    return head.encode() + file + f"\r\n--{BOUNDARY}--\r\n".encode()


def post_form(stand: Stand, scope: Scope, path: str, file: bytes) -> bytes:
    """Upload a file; gives the beginning of the answer. Raises RowFailed."""
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    blocks: list[bytes] = []
    request(stand, scope, "POST", path, multipart(scope, file), headers, lambda block: blocks.append(block[:SHOWN]))
    return blocks[0] if blocks else b""


def fetch(stand: Stand, scope: Scope, path: str, query: Mapping[str, object], take: Callable[[bytes], object]) -> None:
    """Read an answer block by block. Raises RowFailed."""
    fields = {"audience": scope.audience, "client": scope.client, **query}
    request(stand, scope, "GET", f"{path}?{urlencode(fields)}", None, {}, take)


def request(
    stand: Stand,
    scope: Scope,
    method: str,
    path: str,
    body: bytes | None,
    headers: Mapping[str, str],
    take: Callable[[bytes], object],
) -> None:
    """Make one request. Raises RowFailed unless the answer is 200."""
    connection = http.client.HTTPConnection("127.0.0.1", stand.stack.port, timeout=SECONDS)
    try:
        connection.request(method, path, body, {"Authorization": f"Bearer {scope.key}", **headers})
        answer = connection.getresponse()
        if answer.status != HTTP_OK:
            raise RowFailed(f"{method} {path.partition('?')[0]}: {answer.status} {answer.read(SHOWN)!r}")
        while block := answer.read(BLOCK):
            take(block)
    except http.client.HTTPException as error:
        raise RowFailed(f"{method} {path.partition('?')[0]}: {error!r}") from None
    finally:
        connection.close()
