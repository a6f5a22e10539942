"""Settings: defaults, every problem at once, and no value told."""

import base64
from pathlib import Path

import pytest

from config.settings import BadSettingsError, Settings, described

KEY = base64.b64encode(bytes(range(32))).decode()
NEEDED = {"DATABASE_URL": "postgresql://someone:hidden@localhost/datamailer", "MASTER_KEY": KEY}


def problems(**environ: str) -> list[str]:
    with pytest.raises(BadSettingsError) as error:
        Settings.read(NEEDED | environ)
    return error.value.problems


def test_defaults_are_those_that_are_documented() -> None:
    settings = Settings.read(NEEDED)
    assert settings == Settings.read(NEEDED | {line.name: line.default for line in described() if line.default})
    assert (settings.host, settings.port, settings.event_partitions) == ("127.0.0.1", 8000, 4)
    assert (settings.kafka, settings.demo, settings.local_ses_port) == ("auto", True, 8025)
    assert settings.data_dir == Path.cwd() / ".data"
    assert settings.master_key == bytes(range(32))


def test_every_problem_is_told_at_once_and_no_value_with_it() -> None:
    with pytest.raises(BadSettingsError) as error:
        Settings.read({"MASTER_KEY": "hidden", "PORT": "hidden"})
    assert error.value.problems == [
        "DATABASE_URL is required",
        "MASTER_KEY must be 32 random bytes in base64",
        "PORT must be a port number, 1 to 65535",
    ]
    assert "hidden" not in str(error.value)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "80.0", "1e3", "99999999999999999999"])
def test_ports_out_of_range(port: str) -> None:
    assert problems(PORT=port) == ["PORT must be a port number, 1 to 65535"]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("DATABASE_URL", "mysql://hidden", "DATABASE_URL must be a PostgreSQL connection string"),
        ("EVENT_PARTITIONS", "0", "EVENT_PARTITIONS must be a whole number, 1 to 256"),
        ("MASTER_KEY", base64.b64encode(bytes(31)).decode(), "MASTER_KEY must be 32 random bytes in base64"),
        ("OPERATOR_KEY", "short", "OPERATOR_KEY must have at least 24 characters"),
        ("KAFKA", "maybe", "KAFKA must be auto, on or off"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL must be one of debug, info, warning, error"),
        ("DEMO", "perhaps", "DEMO must be on or off"),
    ],
)
def test_a_wrong_value(name: str, value: str, problem: str) -> None:
    assert problems(**{name: value})[0].startswith(problem)


def test_a_blank_value_is_none() -> None:
    with pytest.raises(BadSettingsError, match="MASTER_KEY is required"):
        Settings.read(NEEDED | {"MASTER_KEY": "  "})
    assert Settings.read(NEEDED | {"PORT": " ", "DEMO": ""}).port == 8000


def test_secrets_are_not_shown() -> None:
    shown = repr(Settings.read(NEEDED | {"OPERATOR_KEY": "hidden-" * 6}))
    assert "hidden" not in shown
    assert "x1f" not in shown


def test_every_setting_has_a_meaning_of_one_line() -> None:
    lines = described()
    assert len({line.name for line in lines}) == len(lines) == len(Settings.__slots__)
    assert all(line.meaning and "\n" not in line.meaning for line in lines)
