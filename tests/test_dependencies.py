"""What the code imports is declared, and what is declared for the service has a use in it."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
SERVICE = ("api", "config", "consumers", "domain", "projections")
OWN = {*SERVICE, "bench", "tests"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
UNNAMED = {"crc32c", "httptools", "uvloop"}
"""Imported by kafka-python and uvicorn where they are there, and much faster."""


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", each)[0].lower() for each in requirements}


def imported(path: Path) -> Iterator[str]:
    """The packages that a file needs when it is run."""
    tree = ast.parse(path.read_text())
    typing = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    unneeded = {id(inner) for node in typing for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in unneeded:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def distributions(*folders: str, leaving_out: str = "-") -> set[str]:
    """What has to be installed for the files of folders."""
    left_out = ROOT / leaving_out
    paths = (path for folder in folders for path in (ROOT / folder).rglob("*.py") if left_out not in path.parents)
    found = {module.partition(".")[0] for path in paths for module in imported(path)} - OWN - sys.stdlib_module_names
    known = packages_distributions()
    return {known[module][0].lower().replace("_", "-") for module in found}


def test_the_service_declares_what_it_imports_and_nothing_else() -> None:
    declared = names(PROJECT["dependencies"])
    assert distributions(*SERVICE, leaving_out="config/local") == declared - UNNAMED
    assert declared >= UNNAMED


def test_so_do_the_local_stack_the_tests_and_the_bench() -> None:
    extra = PROJECT["optional-dependencies"]
    assert distributions("config/local") <= names([*PROJECT["dependencies"], *extra["local"]])
    assert distributions("tests", "bench") <= names([*PROJECT["dependencies"], *extra["local"], *extra["dev"]])
