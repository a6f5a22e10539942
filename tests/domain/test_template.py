"""Templates: what may be saved, and what a request's context must have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain import template
from domain.template import RequiredValue, TemplateContent, missing_values
from tests.domain.cases import Given

NOW = datetime(2026, 5, 24, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
GOOD: dict[str, Any] = {"name": "Welcome", "subject": "Hi {{ name }}", "html_body": "<p>{{ name }}</p>"}
created = template.TemplateCreated(
    at=NOW, organization_id=1, client_id=21, key="welcome", content=TemplateContent(**GOOD)
)


def save(at: datetime = NOW, key: str = "welcome", **content: Any) -> template.SaveTemplate:
    whole = TemplateContent(**(GOOD | content))
    return template.SaveTemplate(at=at, organization_id=1, client_id=21, key=key, content=whole)


def test_a_template_is_created_revised_and_quiet_when_it_says_the_same() -> None:
    state = Given(template.decider).when(save()).then(created)
    assert (state.version, state.created_at, state.updated_at) == (1, NOW, NOW)
    there = Given(template.decider, created)
    there.when(save(LATER)).is_quiet()
    revised = save(LATER, subject="Hello", is_active=False)
    state = there.when(revised).then(template.TemplateRevised(at=LATER, content=revised.content))
    assert (state.version, state.created_at, state.updated_at) == (2, NOW, LATER)
    assert state.content == revised.content
    assert template.natural_key(21, "welcome") == "21/welcome"


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        ({"name": " ", "subject": " "}, {"name": "required", "subject": "required"}),
        ({"name": "n" * 256, "subject": "s" * 256}, {"name": "too_long", "subject": "too_long"}),
        ({"subject": "a\r\nBcc: b@example.com"}, {"subject": "invalid"}),
        ({"subject": "{{ a", "html_body": "{% for %}", "text_body": "{{"},
         {"subject": "invalid", "html_body": "invalid", "text_body": "invalid"}),
        ({"html_body": "", "text_body": " "}, {"body": "required"}),
        ({"html_body": "{% include 'a' %}"}, {"html_body": "unsupported"}),
        ({"text_body": "{% extends 'a' %}"}, {"text_body": "unsupported"}),
        ({"html_body": "{% for i in range(10 ** 9) %}{% endfor %}"}, {"html_body": "too_large"}),
        ({"html_body": "{{ 'x' * n }}", "example_context": {"n": 10**9}}, {"html_body": "too_large"}),
        ({"html_body": "{{ name + 1 }}", "example_context": {"name": "Ann"}}, {"html_body": "invalid"}),
        ({"required_context": (RequiredValue(""), RequiredValue("a..b"), RequiredValue("a.b"))},
         {"required_context.0.name": "required", "required_context.1.name": "invalid"}),
        ({"required_context": (RequiredValue("a"),) * 101}, {"required_context": "too_many"}),
    ],
)  # fmt: skip
def test_what_could_not_be_rendered_is_refused_on_its_field(content: dict[str, Any], fields: dict[str, str]) -> None:
    Given(template.decider).when(save(**content)).is_refused(fields)
    Given(template.decider, created).when(save(**content)).is_refused(fields)


@pytest.mark.parametrize(
    ("key", "code"), [("", "invalid"), ("a/b", "invalid"), ("ä", "invalid"), ("k" * 121, "too_long")]
)
def test_a_key_is_part_of_an_address(key: str, code: str) -> None:
    Given(template.decider).when(save(key=key)).is_refused({"key": code})


def test_required_values_may_lie_deep_and_false_is_one() -> None:
    content = TemplateContent(**GOOD, required_context=tuple(map(RequiredValue, ["name", "course.title", "n"])))
    assert missing_values(content, {"name": "Ann", "course": {"title": ""}, "n": 0}) == {}
    assert missing_values(content, {"name": None, "course": "ML"}) == {
        "context.name": "required",
        "context.course.title": "required",
        "context.n": "required",
    }
