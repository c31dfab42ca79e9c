from pathlib import Path

import pytest
from libra.failure import FailureKind, FailureSwitchError, parse_failure
from libra.settings import SettingsError, read_settings

from tests.process import TEST_KEY

MINIMAL = {"DATABASE_URL": "postgresql://libra@db/libra", "LIBRA_KEY": TEST_KEY}


def test_secrets_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(TEST_KEY + "\n")
    (tmp_path / "password").write_text("p@ss word'\n")
    settings = read_settings(
        {
            "DATABASE_URL": MINIMAL["DATABASE_URL"],
            "DATABASE_PASSWORD_FILE": str(tmp_path / "password"),
            "LIBRA_KEY_FILE": str(tmp_path / "key"),
        },
    )
    assert "p@ss word" in settings.database_url
    assert settings.keyring.current == bytes(range(32))


def test_sensitive_values_never_show() -> None:
    shown = repr(read_settings(MINIMAL | {"DATABASE_URL": "postgresql://libra:hush@db/libra"}))
    assert "hush" not in shown
    assert TEST_KEY not in shown


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"DATABASE_URL": ""}, "DATABASE_URL"),
        ({"DATABASE_URL": "no such=thing"}, "DATABASE_URL"),
        ({"LIBRA_KEY": ""}, "LIBRA_KEY"),
        ({"LIBRA_KEY_FILE": "/nowhere/key"}, "LIBRA_KEY_FILE"),
        ({"LIBRA_PORT": "http"}, "LIBRA_PORT"),
        ({"LIBRA_DRAIN": "-1"}, "LIBRA_DRAIN"),
        ({"LIBRA_SECURE_COOKIES": "maybe"}, "LIBRA_SECURE_COOKIES"),
        ({"LIBRA_FAIL": "explode"}, "LIBRA_FAIL"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(change: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        read_settings(MINIMAL | change)


def test_faults_are_parsed() -> None:
    assert parse_failure("") is None
    switch = parse_failure("crash-after:2.5")
    assert switch is not None
    assert (switch.kind, switch.number) == (FailureKind.CRASH_AFTER, 2.5)


@pytest.mark.parametrize("text", ["never-ready:1", "slow-start", "slow-start:x", "errors:-1"])
def test_a_fault_with_a_wrong_argument_is_refused(text: str) -> None:
    with pytest.raises(FailureSwitchError):
        parse_failure(text)
