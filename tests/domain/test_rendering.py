"""Rendering: what templates can do, what is refused, and that none hangs or fills the memory."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.decider import Rejected
from domain.rendering import TEXT_LIMIT, problem, render

CONTEXT: dict[str, Any] = {
    "name": "<Ann>",
    "numbers": [1, 2, 3],
    "order": {"items": ["a", "b"], "total": 1234.5},
    "nothing": None,
    "long": "a" * 100_000,
    "many": list(range(50_000)),
}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hi {{ name }}", "Hi <Ann>"),
        ("{ no template }", "{ no template }"),
        ("[{{ missing }}{{ missing.deeper.still }}{{ nothing }}]", "[]"),
        ("{% for n in numbers %}{{ loop.index }}:{{ n }} {% endfor %}", "1:1 2:2 3:3 "),
        ("{% for n in numbers if n is odd %}{{ n }}{% else %}none{% endfor %}", "13"),
        ("{{ order.items | join(', ') }}", "a, b"),
        ("{% for key, value in order | dictsort %}{{ key }} {% endfor %}", "items total "),
        ("{{ '%.2f' | format(order.total) }} {{ '{:,.2f}'.format(order.total) }}", "1234.50 1,234.50"),
        ("{{ '%5.1f' % order.total }}", "1234.5"),
        ("{{ numbers | map('string') | list }}", "['1', '2', '3']"),
        ("{{ numbers | batch(2, '-') | list }}", "[[1, 2], [3, '-']]"),
        ("{{ (name | upper) ~ numbers[1:] ~ 2 ** 10 }}", "<ANN>[2, 3]1024"),
        ("{% if 2 in numbers and name == '<Ann>' %}yes{% endif %}", "yes"),
        ("{% macro b(x) %}[{{ x }}]{% endmacro %}{{ b(1) }}{{ b(2) }}", "[1][2]"),
        ("{% set ns = namespace(n=0) %}{% for n in numbers %}{% set ns.n = ns.n + n %}{% endfor %}{{ ns.n }}", "6"),
        ("{% filter upper %}a{{ 'b' }}{% endfilter %}{% set x %}q{% endset %}{{ x }}", "ABq"),
        ("{% macro f() %}{{ caller('z') }}{% endmacro %}{% call(u) f() %}<{{ u }}>{% endcall %}", "<z>"),
        ("{% block a %}b{% endblock %}{{ self.a() }}", "bb"),
        ("{{ {'a': (1, 2)}.a[1] }}{{ 'a-b'.split('-') | last }}", "2b"),
    ],
)
def test_what_templates_can_do(source: str, text: str) -> None:
    assert render(source, CONTEXT) == text
    assert problem(source, CONTEXT) == problem(source, CONTEXT, html=True) == ""


def test_html_is_escaped_and_what_is_marked_safe_is_not() -> None:
    assert render("<b>{{ name }}</b>{{ name | safe }}", CONTEXT, html=True) == "<b>&lt;Ann&gt;</b><Ann>"
    assert render("{{ name ~ '<' }}{{ order }}", CONTEXT, html=True).count("<") == 0


INVALID = ["{{ a", "{{ a b }}", "{% for %}", "{{ 1 / 0 }}", "{{ 'a' + 1 }}", "{{ '' | nosuchfilter }}", "{{ 9" * 5000]
UNSUPPORTED = [
    "{% include 'a' %}",
    "{% extends 'a' %}",
    "{% import 'a' as b %}",
    "{% from 'a' import b %}",
    "{% if false %}{% include 'a' %}{% endif %}",
    "{{ ''.__class__.__mro__ }}",
    "{{ name.__init__.__globals__ }}",
    "{{ cycler.__init__ }}",
    "{{ [1] | sort(attribute='__class__') }}",
    "{{ numbers.append(1) }}",
    "{{ name.encode() }}",
    "{{ '{0.__class__}'.format(name) }}",
    "{{ missing.__class__ }}",
]
DOUBLING = [
    "{% set a = 'x' * 1000 %}" + "{% set a = a ~ a %}" * 40,
    "{% set a = 'x' * 1000 %}" + "{% set a = a + a %}" * 40,
    "{% set a %}x{% endset %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 40,
    "{% set a = ['x'] %}" + "{% set a = [a, a] %}" * 40 + "{{ a }}",
    "{% set a = ['x'] %}" + "{% set a = (a, a) %}" * 40 + "{{ a }}",
    "{% set a = 1 %}" + "{% set a = dict(b=a, c=a) %}" * 40 + "{{ a }}",
    "{% set ns = namespace(a='a') %}{% for i in range(60) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
]
TOO_LARGE = [
    "{% for i in range(10 ** 9) %}{% endfor %}",
    "{{ range(10 ** 9) | list }}",
    "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "{% for a in range(9999) if range(9999) | list %}{% endfor %}",
    "{% for a in range(9999) %}{% if 'a' in many %}{% endif %}{% endfor %}",
    "{% for a in range(9999) %}{% if 'a' is in many %}{% endif %}{% endfor %}",
    "{% for a in range(9999) %}{{ many[1:] and '' }}{% endfor %}",
    "{% for a in range(5000) %}" + "x" * 1000 + "{% endfor %}",
    "{% set a %}{% for a in range(9000) %}" + "x" * 100_000 + "{% endfor %}{% endset %}",
    "{% for n in numbers recursive %}{{ loop(numbers) }}{% endfor %}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% block a %}{{ self.a() }}{% endblock %}",
    "{{ 9 ** 64 ** 3 }}",
    "{{ 'x' * 10 ** 9 }}",
    "{{ [1] * 10 ** 9 }}",
    "{{ 'x'.ljust(10 ** 9) }}",
    "{{ 'x' | center(10 ** 9) }}",
    "{{ long | replace('a', long) }}",
    "{{ long.join(long) }}",
    "{{ many | join(long) }}",
    "{{ [1] | batch(10 ** 9, 'x') | list }}",
    "{{ [1] | slice(10 ** 9) | list }}",
    "{{ 1.5 | round(10 ** 9, 'floor') }}",
    "{{ [[1]] | tojson(indent=10 ** 9) }}",
    "{{ '%1000000000d' | format(1) }}",
    "{{ '%*d' % (10 ** 9, 1) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ '{:{}}'.format(1, '99999999') }}",
    "{{ ('<a>' * 50000) | striptags }}",
    "{{ ('a@' * 50000) | urlize }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ 1" + " + 1" * 5000 + " }}",
    "{{ a }}" * 50_000,
    "x" * (TEXT_LIMIT + 1),
    "{{ x }}" + "x" * TEXT_LIMIT,
    *DOUBLING,
]


@pytest.mark.parametrize(
    ("source", "code"),
    [(s, "invalid") for s in INVALID]
    + [(s, "unsupported") for s in UNSUPPORTED]
    + [(s, "too_large") for s in TOO_LARGE],
    ids=lambda text: text[:40],
)
def test_bad_templates_have_a_code_on_their_field(source: str, code: str) -> None:
    assert problem(source, CONTEXT, html=True) == code
    with pytest.raises(Rejected) as refusal:
        render(source, CONTEXT, field="html_body")
    assert refusal.value.fields == {"html_body": code}


def test_a_value_that_the_example_lacks_is_not_the_templates_fault() -> None:
    assert problem("{{ price * 2 }}", {}) == ""
    with pytest.raises(Rejected, match="invalid"):
        render("{{ price * 2 }}", {})


@given(st.text(alphabet="{}%#-|~()[].,'\"=*+ abfor1\n", max_size=60))
@example("{{ '{}'.format }}")
@settings(max_examples=300)
def test_any_text_renders_or_is_refused(source: str) -> None:
    assert problem(source, CONTEXT, html=True) in {"", "invalid", "unsupported", "too_large"}
