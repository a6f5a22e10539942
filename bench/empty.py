"""The least that an HTTP service can do here, the limit for ours: ``python -m bench.empty PORT``."""

from __future__ import annotations

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

BODY = b"{%s}" % b",".join(b'"field_%02d":"%s"' % (n, b"x" * 20) for n in range(20))
"""As long as a contact payload."""


async def answer(request: Request) -> Response:
    """Read the request and say nothing about it."""
    await request.body()
    return Response(BODY, media_type="application/json")


def main() -> None:
    """Serve as the API is served, until stopped."""
    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    port = int(sys.argv[1])
    uvicorn.run(app, port=port, loop="uvloop", http="httptools", ws="none", access_log=False, log_config=None)


if __name__ == "__main__":
    main()
