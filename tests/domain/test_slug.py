"""Slugs as Django's slugify makes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.slug import is_slug, slugify


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Course ML Zoomcamp", "course-ml-zoomcamp"),
        ("  Hello,   World!  ", "hello-world"),
        ("Čeština žluťoučká", "cestina-zlutoucka"),
        ("ﬁrst", "first"),
        ("under_score", "under_score"),
        ("__-a-__", "a"),
        ("a -- b", "a-b"),
        ("tab\tnew\nline", "tab-new-line"),
        ("C++ & C#", "c-c"),
        ("日本語", ""),
        ("!!!", ""),
        ("-_-", ""),
        ("", ""),
    ],
)
def test_slugify(name: str, slug: str) -> None:
    assert slugify(name) == slug


@given(st.text())
def test_a_slug_is_its_own_slug(name: str) -> None:
    slug = slugify(name)
    assert slugify(slug) == slug
    assert slug == "" or is_slug(slug)


@pytest.mark.parametrize("text", ["", "a b", "a.b", "é", "a\n", "a/b"])
def test_what_is_no_slug(text: str) -> None:
    assert not is_slug(text)


def test_capitals_may_stand_in_a_slug() -> None:
    assert is_slug("DTC-courses_2")
