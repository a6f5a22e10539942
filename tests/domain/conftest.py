"""Assertions of the shared cases explain themselves as those of a test do."""

import pytest

pytest.register_assert_rewrite("tests.domain.cases")
