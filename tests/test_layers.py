"""The layers hold, and every contract about them sees its breach."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINT = (str(Path(sys.executable).with_name("lint-imports")), "--no-cache")

BREACHES = {
    "api/app.py": "import consumers.relay",
    "config/settings.py": "import domain.contact",
    "config/local/plan.py": "",
    "config/reach.py": "import config.local.plan",
    "consumers/relay.py": "import projections.contacts",
    "domain/contact.py": "import domain.store",
    "domain/store/log.py": "import domain.contact",
    "domain/template.py": "import kafka",
    "projections/contacts.py": "import projections.directory\nimport projections.projection\nimport boto3",
    "projections/directory.py": "import projections.projection\nimport domain.store.log",
    "projections/projection.py": "",
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(LINT, cwd=folder, capture_output=True, text=True, check=False)


def test_the_layers_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert " kept, 0 broken" in done.stdout


def test_each_contract_sees_its_breach(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, text in BREACHES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(text)
    done = lint(tmp_path)
    assert done.returncode == 1
    assert "Contracts: 0 kept, 6 broken." in done.stdout
    for breach in (
        "api is not allowed to import consumers",
        "config is not allowed to import domain",
        "config.reach -> config.local.plan",
        "domain.contact -> domain.store",
        "domain.template -> kafka",
        "projections.contacts -> boto3",
        "projections.contacts -> projections.directory",
    ):
        assert breach in done.stdout, done.stdout
    for fine in ("consumers.relay ->", "projections.directory ->", "domain.store.log ->"):
        assert fine not in done.stdout, done.stdout
