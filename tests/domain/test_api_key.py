"""API keys: their form, and what is kept of them."""

from __future__ import annotations

import pytest

from domain import api_key

PEPPER = b"p" * 32


def test_a_key_reads_as_it_was_written_and_is_never_the_same_twice() -> None:
    key = api_key.generate()
    assert api_key.parse(str(key)) == key
    assert len(key.secret) * 4 == 256
    assert api_key.generate() != key


def test_a_demo_key_reads() -> None:
    key = api_key.parse("dm_dtcnews_demo_newsletter_import_export_key")
    assert key == api_key.ApiKey("dtcnews", "demo_newsletter_import_export_key")


@pytest.mark.parametrize(
    "text",
    ["", "dm_", "dm_a", "dm_a_", "dm__b", "xx_a_b", "dm_a_b c", "dm_a_b\n", "dm_é_b", "dm_a_é", "dm_a_" + "b" * 201],
)
def test_no_key(text: str) -> None:
    assert api_key.parse(text) is None


def test_only_the_right_key_under_the_right_pepper_matches() -> None:
    key = api_key.generate()
    kept = api_key.key_hash(key, PEPPER)
    assert api_key.matches(key, kept, PEPPER)
    assert not api_key.matches(api_key.ApiKey(key.public_id, "0" * 64), kept, PEPPER)
    assert not api_key.matches(api_key.ApiKey("other", key.secret), kept, PEPPER)
    assert not api_key.matches(key, kept, b"q" * 32)
    assert not api_key.matches(key, "", PEPPER)


def test_the_secret_is_neither_kept_nor_shown() -> None:
    key = api_key.generate()
    assert key.secret not in api_key.key_hash(key, PEPPER)
    assert key.secret not in repr(key)
