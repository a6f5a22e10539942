"""Rendering a client's templates in the sandbox: every failure is a code for a field, and none hangs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from jinja2 import Template, UndefinedError
from jinja2.exceptions import SecurityError

from domain.decider import Rejected
from domain.meter import CHARACTERS, Meter, TooCostly
from domain.sandbox import METER, Sandbox

TEXT_LIMIT: Final = 1_048_576
"""Characters of a template, and of what is rendered from it."""

_UNDEFINED: Final = "undefined"
_SANDBOXES: Final = {html: Sandbox(html=html) for html in (True, False)}


def render(source: str, context: Mapping[str, Any], *, html: bool = False, field: str = "context") -> str:
    """Render a template; ``html`` escapes what the context brings in. A missing value is empty, however deep.

    Raises Rejected on the field: ``invalid`` when the template does not parse or fails on this context,
    ``unsupported`` when it reaches outside, ``too_large`` when it would take too long or make too much.
    """
    code, text = _run(source, context, html=html)
    if code:
        raise Rejected("invalid" if code == _UNDEFINED else code, field)
    return text


def problem(source: str, context: Mapping[str, Any], *, html: bool = False) -> str:
    """Give the code of what is wrong with a template, tried on a context; empty when nothing is.

    That the context lacks a value which the template computes with is not the template's fault.
    """
    code, _ = _run(source, context, html=html)
    return "" if code == _UNDEFINED else code


def _run(source: str, context: Mapping[str, Any], *, html: bool) -> tuple[str, str]:
    if not html and "{" not in source:
        return ("too_large", "") if len(source) > TEXT_LIMIT else ("", source)
    token = METER.set(Meter())
    try:
        return "", _rendered(_compiled(source, html=html), context)
    except (TooCostly, RecursionError, MemoryError):
        return "too_large", ""
    except SecurityError:
        return "unsupported", ""
    except UndefinedError:
        return _UNDEFINED, ""
    except Exception:  # noqa: BLE001 - whatever a template makes Python raise is the template's fault
        return "invalid", ""
    finally:
        METER.reset(token)


def _rendered(template: Template, context: Mapping[str, Any]) -> str:
    meter, pieces, total = METER.get(), [], 0
    for piece in template.root_render_func(template.new_context(dict(context))):
        total += len(piece)
        if total > TEXT_LIMIT:
            raise TooCostly
        meter.spend(1 + len(piece) // CHARACTERS)
        pieces.append(piece)
    return "".join(pieces)


@lru_cache(maxsize=512)
def _compiled(source: str, *, html: bool) -> Template:
    if len(source) > TEXT_LIMIT:
        raise TooCostly
    return _SANDBOXES[html].load(source)
