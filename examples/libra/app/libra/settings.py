"""What the environment tells Libra, read once and checked before anything starts.

The mapping is an argument, so that tests need not touch the process environment. Sensitive
values never show in a repr.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import ProgrammingError
from psycopg.conninfo import make_conninfo

from libra.failure import FailureSwitch, FailureSwitchError, parse_failure
from libra.sealing import Keyring, KeyringError, parse_keyring

DEFAULT_GREETING = "Welcome to Libra"
DEFAULT_MAX_UPLOAD_BYTES = 1024**3
DEFAULT_DRAIN_S = 25.0


class SettingsError(Exception):
    """The environment cannot be used; the message says which variable and what to set."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One process's configuration."""

    database_url: str = field(repr=False)
    keyring: Keyring = field(repr=False)
    uploads: Path
    port: int
    version: str
    release: str
    replica: str
    greeting: str
    max_upload_bytes: int
    drain_s: float
    is_migrating_at_start: bool
    is_cookie_secure: bool
    is_access_logged: bool
    failure: FailureSwitch | None


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read all settings; raises SettingsError."""
    try:
        keyring = parse_keyring(_secret(environment, "LIBRA_KEY"))
        failure = parse_failure(environment.get("LIBRA_FAIL", ""))
    except KeyringError as error:
        raise SettingsError(f"LIBRA_KEY: {error}") from error
    except FailureSwitchError as error:
        raise SettingsError(f"LIBRA_FAIL: {error}") from error
    return Settings(
        database_url=read_database_url(environment),
        keyring=keyring,
        uploads=Path(environment.get("LIBRA_UPLOADS") or "/uploads"),
        port=int(_number(environment, "LIBRA_PORT", 8080)),
        version=environment.get("LIBRA_VERSION") or "dev",
        release=environment.get("LIBRA_RELEASE", ""),
        replica=socket.gethostname(),
        greeting=environment.get("LIBRA_GREETING") or DEFAULT_GREETING,
        max_upload_bytes=int(_number(environment, "LIBRA_MAX_UPLOAD", DEFAULT_MAX_UPLOAD_BYTES)),
        drain_s=_number(environment, "LIBRA_DRAIN", DEFAULT_DRAIN_S),
        is_migrating_at_start=_switch(environment, "LIBRA_MIGRATE_AT_START"),
        is_cookie_secure=_switch(environment, "LIBRA_SECURE_COOKIES"),
        is_access_logged=_switch(environment, "LIBRA_ACCESS_LOG"),
        failure=failure,
    )


def read_database_url(environment: Mapping[str, str]) -> str:
    """Return the connection string, with the password file's content; raises SettingsError."""
    url = environment.get("DATABASE_URL", "")
    if not url:
        raise SettingsError("DATABASE_URL is not set; give postgresql://USER:PASSWORD@HOST/NAME")
    parts = {}
    if environment.get("DATABASE_PASSWORD_FILE"):
        parts["password"] = _secret(environment, "DATABASE_PASSWORD")
    try:
        return make_conninfo(url, **parts)
    except ProgrammingError as error:
        raise SettingsError("DATABASE_URL is not a PostgreSQL connection string") from error


def _secret(environment: Mapping[str, str], name: str) -> str:
    file_name = environment.get(f"{name}_FILE")
    if not file_name:
        return environment.get(name, "")
    try:
        return Path(file_name).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}_FILE cannot be read: {error.strerror}: {file_name}") from error


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, "")
    try:
        value = float(text) if text else float(default)
    except ValueError as error:
        raise SettingsError(f"{name} is not a number: {text!r}") from error
    if value < 0:
        raise SettingsError(f"{name} must not be negative: {text!r}")
    return value


def _switch(environment: Mapping[str, str], name: str) -> bool:
    text = environment.get(name, "").lower()
    if text in {"", "0", "no", "false"}:
        return False
    if text in {"1", "yes", "true"}:
        return True
    raise SettingsError(f"{name} is neither 1 nor 0: {text!r}")
