"""The inbox as pages for people: a list of mail, and a mail in a frame that runs nothing."""

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from config.local.ses.errors import BadRequestError
from config.local.ses.inbox import Inbox
from config.local.ses.mail import shown
from config.local.ses.rules import bare_address

PER_PAGE: Final = 50
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src http: https: data:; "
    "frame-src 'self' about:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Pages:
    """The two pages."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        loader = FileSystemLoader(Path(__file__).parent / "templates")
        self._templates = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)

    async def inbox(self, request: Request) -> Response:
        """Show a page of mail, the newest first; `to` narrows it to one address."""
        to, problem = request.query_params.get("to", "").strip(), ""
        try:
            address = bare_address(to) if to else None
        except BadRequestError:
            address, problem = None, "That is not an email address; all mail is shown."
        count = self._inbox.count(address)
        pages = max(1, -(-count // PER_PAGE))
        asked = request.query_params.get("page", "1")
        page = min(int(asked) if asked.isdecimal() and len(asked) < 10 else 1, pages) or 1  # noqa: PLR2004
        end = count - (page - 1) * PER_PAGE
        start = max(0, end - PER_PAGE)
        mails = [shown(mail, bodies=False) for mail in reversed(self._inbox.select(address, start, end - start))]
        return self._page("inbox.html", mails=mails, to=to, count=count, page=page, pages=pages, problem=problem)

    async def message(self, request: Request) -> Response:
        """Show one mail."""
        mail = self._inbox.find(request.path_params["message_id"])
        if mail is None:
            return self._page("message.html", 404, mail=None)
        return self._page("message.html", mail=shown(mail))

    def _page(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        return HTMLResponse(self._templates.get_template(template).render(**values), status, HEADERS)
