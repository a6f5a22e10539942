"""The Jinja2 sandbox of clients' templates: nothing outside to reach, and every step is paid for, so none can hang.

There is no loader, and tags that load other templates are refused; filters and methods are those listed here. Loop
turns, calls, filters, operators and comparisons are metered (``domain.meter``), nothing is computed while compiling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import wraps
from itertools import islice
from typing import Any, Final, cast

from jinja2 import ChainableUndefined, Template, Undefined, nodes, pass_context, pass_eval_context
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, markup_join, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS
from jinja2.utils import Cycler, Joiner, Namespace

from domain.meter import STEP, Meter, TooCostly, check_format, words
from domain.metered_tree import metered

RANGE_LIMIT: Final = 10_000
TOKENS_LIMIT: Final = 20_000
"""Tokens of a template, that compiling it stays quick too."""

_FILTERS: Final = words(
    "abs batch capitalize center count d default dictsort e escape filesizeformat first float forceescape format "
    "groupby indent int items join last length list lower map max min reject rejectattr replace reverse round safe "
    "select selectattr slice sort string striptags sum title tojson trim truncate unique upper urlencode urlize "
    "wordcount wordwrap xmlattr"
)
_TEXT_METHODS: Final = words(
    "capitalize casefold center count endswith find format index isalnum isalpha isdigit islower isnumeric isspace "
    "istitle isupper join ljust lower lstrip partition removeprefix removesuffix replace rfind rindex rjust rpartition "
    "rsplit rstrip split splitlines startswith strip swapcase title upper zfill"
)
_DICT_METHODS: Final = frozenset({"get", "items", "keys", "values"})
_GROUP: Final = frozenset({"grouper", "list"})
_JINJA_TYPES: Final = (BlockReference, Cycler, Joiner, LoopContext, Macro, Namespace)

METER: Final[ContextVar[Meter]] = ContextVar("meter")
"""What the rendering under way has left."""


class _Namespace(Namespace):
    """Jinja's, without showing what it holds: that can be itself."""

    def __repr__(self) -> str:
        return "<Namespace>"


def _range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > RANGE_LIMIT:
        raise TooCostly
    return numbers


def _paying(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    passed = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)
    def paying(*args: Any, **named: Any) -> Any:
        meter = METER.get()
        value, *more = args[passed:]
        value = meter.enter(name, value, (*more, *named.values()))
        return meter.leave(function(*args[:passed], value, *more, **named))

    return paying


def _turn(value: Any) -> Any:
    METER.get().spend(STEP)
    return value


def _weighed(value: Any) -> Any:
    METER.get().charge(value)
    return value


@pass_eval_context
def _joined(eval_context: nodes.EvalContext, values: list[Any]) -> str:
    METER.get().charge(values)
    return markup_join(values) if eval_context.autoescape else str_join(values)


@pass_context
def _shown(_context: Context, value: Any) -> Any:
    """Pay for what is put out; nothing stands for None. With a context so that nothing is put out while compiling."""
    METER.get().charge(value)
    return "" if value is None else value


def _concatenated(pieces: Iterable[str]) -> str:
    pieces = list(pieces)
    METER.get().charge(pieces)
    return "".join(pieces)


class Sandbox(ImmutableSandboxedEnvironment):
    """Compiles templates, html-escaping or not. Whatever they do runs on the meter in :data:`METER`."""

    intercepted_binops = frozenset({"%", "*", "**", "+"})
    concat = staticmethod(_concatenated)

    def __init__(self, *, html: bool) -> None:
        super().__init__(autoescape=html, optimized=False, undefined=ChainableUndefined, finalize=_shown, cache_size=0)
        self.globals = {
            "range": _range,
            "dict": dict,
            "cycler": Cycler,
            "joiner": Joiner,
            "namespace": _Namespace,
        }
        self.filters = {name: _paying(name, FILTERS[name]) for name in _FILTERS}
        self.filters |= {"_turn": _turn, "_weighed": _weighed, "_joined": _joined}
        self.tests = {name: _paying("", cast("Callable[..., Any]", test)) for name, test in TESTS.items()}

    def load(self, source: str) -> Template:
        """Compile a template. Raises TemplateSyntaxError, SecurityError, TooCostly, and what Python finds too deep."""
        if sum(1 for _ in islice(self.lex(source), TOKENS_LIMIT + 1)) > TOKENS_LIMIT:
            raise TooCostly
        return self.from_string(metered(self.parse(source)))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Allow the methods listed here, what Jinja's own objects offer, and anything of nothing: it is nothing too."""
        if isinstance(obj, str):
            return attr in _TEXT_METHODS
        if isinstance(obj, dict):
            return attr in _DICT_METHODS
        if isinstance(obj, tuple):
            return attr in _GROUP
        if isinstance(obj, Undefined):
            return not attr.startswith("_")
        return isinstance(obj, _JINJA_TYPES) and super().is_safe_attribute(obj, attr, value)

    def unsafe_undefined(self, obj: Any, attribute: str) -> Any:
        """Refuse at once what Jinja would show as nothing. Raises SecurityError."""
        raise SecurityError(f"{attribute} of {type(obj).__name__}")

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Find an entry of a dict before a method of that name: ``order.items`` is what the context has there."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Check the format before ``str.format`` is given out."""
        wrapped = super().wrap_str_format(value)
        if wrapped is not None:
            check_format(value.__self__)
        return wrapped

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Pay for an operation and its result."""
        meter = METER.get()
        meter.operate(operator, left, right)
        return meter.leave(super().call_binop(context, operator, left, right))

    def call(self, context: Context, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Pay for a call of a method, macro or function, and for its result."""
        meter = METER.get()
        owner = getattr(called, "__self__", None)
        if isinstance(owner, str):
            meter.enter(called.__name__, owner, (*args, *kwargs.values()))
        else:
            meter.spend(STEP)
            meter.charge(args)
        return meter.leave(super().call(context, called, *args, **kwargs))
