"""What the README says is so: its links lead somewhere, its table of settings is complete."""

import re
from pathlib import Path

from config.settings import described

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_setting_is_in_the_table_as_it_is() -> None:
    rows = [
        f"| `{known.name}` | {f'`{known.default}`' if known.default else ''} | {known.meaning} |"
        for known in described()
    ]
    assert [row for row in rows if row not in README] == []


def test_the_commands_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)`", README))
    assert {"run", "test"} <= named <= targets
