"""Puts a payment into every place of a template's syntax tree where time or memory could be spent.

The filters ``_turn``, ``_weighed`` and ``_joined`` of ``domain.sandbox`` take the payments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.visitor import NodeTransformer


def metered(tree: nodes.Template) -> nodes.Template:
    """The tree with its payments. Raises SecurityError for a tag that loads another template."""
    return cast("nodes.Template", _Payments().visit(tree))


class _Payments(NodeTransformer):
    """Rewrites the inner nodes first."""

    def get_visitor(self, node: nodes.Node) -> Callable[..., Any] | None:
        """Look the rewriting up by the type of the node."""
        case = _CASES.get(type(node))
        return None if case is None else lambda found: case(self.generic_visit(found))


def _filtered(name: str, node: nodes.Expr) -> nodes.Expr:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno, environment=node.environment)


def _turn(at: nodes.Node) -> nodes.Expr:
    return _filtered("_turn", nodes.Const(1, lineno=at.lineno, environment=at.environment))


def _body(node: Any) -> nodes.Node:
    node.body.insert(0, nodes.ExprStmt(_turn(node), lineno=node.lineno, environment=node.environment))
    return cast("nodes.Node", node)


def _loop(node: nodes.For) -> nodes.Node:
    if node.test is not None:
        node.test = nodes.And(_turn(node), node.test, lineno=node.lineno, environment=node.environment)
    return _body(node)


def _weighed(node: nodes.Expr) -> nodes.Expr:
    return _filtered("_weighed", node)


def _tuple(node: nodes.Tuple) -> nodes.Expr:
    return _weighed(node) if node.ctx == "load" else node


def _sliced(node: nodes.Getitem) -> nodes.Expr:
    return _weighed(node) if isinstance(node.arg, nodes.Slice) else node


def _joined(node: nodes.Concat) -> nodes.Expr:
    return _filtered("_joined", nodes.List(node.nodes, lineno=node.lineno, environment=node.environment))


def _compared(node: nodes.Compare | nodes.Operand) -> nodes.Node:
    node.expr = _weighed(node.expr)
    return node


def _outside(node: nodes.Node) -> nodes.Node:
    raise SecurityError(type(node).__name__)


_CASES: Final[dict[type[nodes.Node], Callable[[Any], nodes.Node]]] = {
    nodes.For: _loop,
    nodes.Macro: _body,
    nodes.CallBlock: _body,
    nodes.Block: _body,
    nodes.List: _weighed,
    nodes.Dict: _weighed,
    nodes.Tuple: _tuple,
    nodes.Concat: _joined,
    nodes.Getitem: _sliced,
    nodes.Compare: _compared,
    nodes.Operand: _compared,
    nodes.Extends: _outside,
    nodes.Include: _outside,
    nodes.Import: _outside,
    nodes.FromImport: _outside,
}
