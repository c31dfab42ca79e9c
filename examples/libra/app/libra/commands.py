"""`/app/manage`: what operators and deployments do: migrate, seed, add users, check, sweep."""

import argparse
import getpass
import hashlib
import os
import sys
from collections.abc import Sequence
from uuid import UUID

import psycopg

from libra.accounts import Role, hash_password
from libra.migrations import MigrationError, migrate, read_migrations
from libra.sealing import DamagedFileError
from libra.settings import SettingsError, read_database_url, read_settings
from libra.storage import FileStore, MissingFileError

DEMO_PASSWORD = "libra-demo"  # noqa: S105 -- of the demonstration, printed on purpose
DEMO_USERS = [
    ("portia", "Portia Bellario", Role.LAWYER),
    ("atticus", "Atticus Finch", Role.LAWYER),
    ("antonio", "Antonio of Venice", Role.CLIENT),
    ("scout", "Jean Louise Finch", Role.CLIENT),
]
DEMO_MATTERS = [
    ("Antonio ./. Shylock: the bond", ["portia", "antonio"]),
    ("Estate of B. Radley", ["atticus", "scout"]),
    ("Shared counsel", ["portia", "atticus", "antonio", "scout"]),
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parsed = _parser().parse_args(arguments)
    commands = {"migrate": _migrate, "seed": _seed, "user": _user, "check": _check, "sweep": _sweep}
    try:
        return commands[parsed.command](parsed)
    except (SettingsError, MigrationError, psycopg.Error, OSError) as error:
        print(f"{parsed.command} failed: {str(error).strip()}", file=sys.stderr)  # noqa: T201
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="manage", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    step = commands.add_parser("migrate", help="bring the schema to this code's level")
    step.add_argument("--wait", type=float, default=30, help="seconds to wait for the database")
    commands.add_parser("seed", help="add users and matters for a demonstration")
    step = commands.add_parser("user", help="add a user, or change name, role and password")
    step.add_argument("name")
    step.add_argument("--full-name", required=True)
    step.add_argument("--role", choices=[role.value for role in Role], required=True)
    step.add_argument("--password-stdin", action="store_true", help="read it from standard input")
    commands.add_parser("check", help="open every file and compare it with its row")
    step = commands.add_parser("sweep", help="remove files that no row names")
    step.add_argument("--older-than", type=float, default=86400, help="seconds, default one day")
    return parser


def _migrate(parsed: argparse.Namespace) -> int:
    migrations = read_migrations()
    applied = migrate(read_database_url(os.environ), migrations, wait_s=parsed.wait)
    for migration in applied:
        _say(f"applied {migration.level:04d} {migration.name}")
    _say(f"schema is at level {len(migrations)}" + ("" if applied else "; nothing to do"))
    return 0


def _seed(_: argparse.Namespace) -> int:
    password = os.environ.get("LIBRA_DEMO_PASSWORD") or DEMO_PASSWORD
    with psycopg.connect(read_database_url(os.environ)) as connection:
        for name, full_name, role in DEMO_USERS:
            _put_user(connection, (name, full_name, role.value, hash_password(password)))
        for title, names in DEMO_MATTERS:
            known = connection.execute(
                "SELECT 1 FROM matters WHERE title = %s", (title,)
            ).fetchone()
            if known is None:
                _add_matter(connection, title, names)
    shown = "that of LIBRA_DEMO_PASSWORD" if password != DEMO_PASSWORD else DEMO_PASSWORD
    _say(f"users {', '.join(name for name, _, _ in DEMO_USERS)}; password: {shown}")
    return 0


def _user(parsed: argparse.Namespace) -> int:
    if parsed.password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = getpass.getpass(f"password for {parsed.name}: ")
    if len(password) < len(DEMO_PASSWORD):
        _say(f"a password has at least {len(DEMO_PASSWORD)} characters")
        return 1
    user = (parsed.name.lower(), parsed.full_name, parsed.role, hash_password(password))
    with psycopg.connect(read_database_url(os.environ)) as connection:
        _put_user(connection, user)
    _say(f"{parsed.name} is a {parsed.role}")
    return 0


def _check(_: argparse.Namespace) -> int:
    settings = read_settings(os.environ)
    store = FileStore(settings.uploads, settings.keyring)
    wrong, right = 0, 0
    with psycopg.connect(settings.database_url) as connection:
        rows = connection.execute("SELECT id, size_bytes, sha256 FROM files ORDER BY number")
        for file_id, size_bytes, sha256 in rows:
            problem = _file_problem(store, file_id, size_bytes, sha256)
            right += problem is None
            if problem is not None:
                wrong += 1
                _say(f"{file_id}: {problem}")
    _say(f"{right} files are whole, {wrong} are not")
    return 1 if wrong else 0


def _sweep(parsed: argparse.Namespace) -> int:
    settings = read_settings(os.environ)
    store = FileStore(settings.uploads, settings.keyring)
    removed = 0
    with psycopg.connect(settings.database_url) as connection:
        for file_id in list(store.stored_ids(min_age_s=parsed.older_than)):
            row = connection.execute("SELECT 1 FROM files WHERE id = %s", (file_id,)).fetchone()
            if row is None:
                store.remove(file_id)
                removed += 1
    _say(f"removed {removed} files without a row")
    return 0


def _file_problem(store: FileStore, file_id: UUID, size_bytes: int, sha256: bytes) -> str | None:
    digest, length = hashlib.sha256(), 0
    try:
        for chunk in store.read(file_id):
            digest.update(chunk)
            length += len(chunk)
    except MissingFileError:
        return "missing"
    except DamagedFileError as error:
        return f"damaged: {error}"
    if (length, digest.digest()) != (size_bytes, sha256):
        return "its content is not what was uploaded"
    return None


def _put_user(connection: psycopg.Connection, user: tuple[str, str, str, str]) -> None:
    connection.execute(
        "INSERT INTO users (name, full_name, role, password_hash) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (name) DO UPDATE SET full_name = EXCLUDED.full_name,"
        " role = EXCLUDED.role, password_hash = EXCLUDED.password_hash",
        user,
    )


def _add_matter(connection: psycopg.Connection, title: str, names: list[str]) -> None:
    connection.execute(
        "WITH matter AS (INSERT INTO matters (title, opened_by)"
        " SELECT %s, id FROM users WHERE name = %s RETURNING id)"
        " INSERT INTO members (matter_id, user_id)"
        " SELECT matter.id, users.id FROM matter, users WHERE users.name = ANY(%s)",
        (title, names[0], names),
    )


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 -- this is a command's result
