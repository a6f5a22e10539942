"""`{{name}}` in inline templates, the only operation that SES has there; values are inserted as they are."""

import re
from functools import lru_cache
from typing import Any, Final

import msgspec

from config.local.ses.errors import BadRequestError
from config.local.ses.wire import TemplateContent

EXPRESSION: Final = re.compile(r"\{\{\{?(.*?)\}?\}\}", re.DOTALL)
PATH: Final = re.compile(r"[^\s!\"#%&'()*+,/;<=>@\[\\\]^`{|}~]+")
"""A Handlebars path: names joined with dots."""
BAD_DATA: Final = "The template data is invalid."

Data = dict[str, Any]


class MissingValueError(Exception):
    """The data has nothing for a name of the template: SES accepts the mail, and it fails to render."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Attribute '{name}' is not present in the rendering data.")


@lru_cache(maxsize=256)
def names(content: TemplateContent) -> tuple[str, ...]:
    """Return the names in a template; raise `BadRequestError` for anything that is not a simple substitution."""
    found = [
        name.strip() for text in (content.subject, content.text, content.html) for name in EXPRESSION.findall(text)
    ]
    if not all(PATH.fullmatch(name) for name in found):
        raise BadRequestError("Template contains unsupported operations.")
    return tuple(dict.fromkeys(found))


def parse(text: str) -> Data:
    """Return template data; raise `BadRequestError` when it is not a JSON object."""
    try:
        return msgspec.json.decode(text, type=Data)
    except msgspec.DecodeError:
        raise BadRequestError(BAD_DATA) from None


def missing(content: TemplateContent, data: Data) -> str | None:
    """Return what SES says about the first name without a value; None when the template renders."""
    try:
        for name in names(content):
            if type(data.get(name)) is not str or "." in name:
                value(name, data)
    except MissingValueError as error:
        return str(error)
    return None


def value(name: str, data: Data) -> str:
    """Return the value of a name or dotted path as text; raise `MissingValueError` when there is none."""
    found: Any = data
    for key in name.split("."):
        if not isinstance(found, dict) or found.get(key) is None:
            raise MissingValueError(name)
        found = found[key]
    if isinstance(found, bool):
        return str(found).lower()
    return found if isinstance(found, str) else msgspec.json.encode(found).decode()


def render(text: str, data: Data) -> str:
    """Return the text with every name replaced once: what a value brings in is not looked at again."""
    return EXPRESSION.sub(lambda match: value(match[1].strip(), data), text)
