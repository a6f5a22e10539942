"""Starts the local SES: `python -m config.local.ses`; the first line that it prints is its address."""

import gc
import socket
import sys
from contextlib import suppress

import msgspec
import uvicorn

from config.local.ses.account import Account
from config.local.ses.certificate import Signer
from config.local.ses.faults import Faults
from config.local.ses.inbox import Inbox
from config.local.ses.pages import Pages
from config.local.ses.publishing import AutoEvents, Publishing
from config.local.ses.routes import Routes
from config.local.ses.sending import Sending
from config.local.ses.server import Server, configured
from config.local.ses.settings import Settings
from config.local.ses.webhook import Webhook

BACKLOG = 2048
GC_THRESHOLD = 50_000
"""Mail is kept, so that looking for garbage among it is in vain; less often is faster."""


def main() -> int:
    """Run until a signal ends the process; return 2 when a setting is wrong and 1 when the port is taken."""
    try:
        settings = Settings.read()
        initial = Faults().changed({"auto_events": settings.auto_events})
    except (ValueError, msgspec.ValidationError) as error:
        print(f"local SES: {error}", file=sys.stderr)
        return 2
    try:
        listener = listen(settings.host, settings.port)
    except OSError as error:
        print(f"local SES: cannot listen on port {settings.port}: {error.strerror}", file=sys.stderr)
        return 1
    base_url = f"http://{_bracketed(settings.host)}:{listener.getsockname()[1]}"
    server = assemble(settings, initial, base_url)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 50)
    print(f"local SES: {base_url}", flush=True)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(configured(server)).run(sockets=[listener])
    return 0


def assemble(settings: Settings, initial: Faults, base_url: str) -> Server:
    """Return the application, wired."""
    inbox = Inbox(settings.keep, settings.keep_megabytes * 1024 * 1024)
    account = Account(initial, lambda: inbox.sent)
    signer = Signer.kept_in(settings.data_dir / "ses")
    webhook = Webhook(settings.webhook_url)
    publishing = Publishing(signer, webhook, settings.topic_arn, base_url, settings.allowed_hosts)
    auto_events = AutoEvents(publishing, account)
    sending = Sending(account, inbox, auto_events.accepted)
    routes = Routes(inbox, account, publishing, auto_events, signer)
    return Server(sending, account, routes.application(Pages(inbox), settings.allowed_hosts))


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Connections wait in it until the server is up."""
    family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(BACKLOG)
    return listener


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


if __name__ == "__main__":
    sys.exit(main())
