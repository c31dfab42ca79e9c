"""The import contracts hold, and no module escapes them by being new."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.architecture.sources import ROOT, Source, package

# What acts, inside slices that otherwise decide.
ACTING = {
    "underway.backup.apply",
    "underway.backup.restore_apply",
    "underway.image.apply",
    "underway.image.archive",
    "underway.image.built",
    "underway.image.exposed",
    "underway.image.named",
    "underway.image.promotion",
    "underway.image.shipment",
    "underway.image.testing.bench",
    "underway.image.testing.followers",
    "underway.image.testing.leftovers",
    "underway.image.testing.means",
    "underway.image.testing.needs",
    "underway.image.testing.suite",
    "underway.image.tools",
    "underway.image.yard",
    "underway.report.plain",
    "underway.report.terminal",
    "underway.rollout.apply",
    "underway.rollout.gates",
    "underway.rollout.refused",
}
DECIDING_SLICES = ("model", "backup", "compose", "image", "rollout", "report")
READS_THE_WORLD = {
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "date.today",
    "open",
    "input",
    "print",
    "uuid4",
}
PATH_METHODS = {
    "exists", "glob", "is_dir", "is_file", "iterdir", "mkdir", "open", "read_bytes", "read_text",
    "resolve", "rglob", "stat", "touch", "unlink", "write_bytes", "write_text",
}  # fmt: skip


def contracts() -> list[dict[str, list[str] | str]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found: list[dict[str, list[str] | str]] = settings["tool"]["importlinter"]["contracts"]
    return found


def test_the_import_contracts_hold():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_of_a_deciding_slice_decides_or_is_known_to_act():
    deciding = next(c for c in contracts() if c["id"] == "deciding")["source_modules"]
    covered = {
        source.module
        for source in package()
        if any(f"{source.module}.".startswith(f"{name}.") for name in deciding)
    }
    expected = {
        source.module
        for source in package()
        if source.module.split(".")[1:2] and source.module.split(".")[1] in DECIDING_SLICES
        if source.path.name != "__init__.py"
    }
    assert expected - covered - ACTING == set()
    assert ACTING - expected == set(), "modules that act and are gone"


def test_what_decides_does_not_touch_files_or_clock():
    """`pathlib` and `datetime` hold pure values and doors to the world: only the first is used."""
    reaching = [
        f"{source.name}:{call.lineno}: {ast.unparse(call.func)}"
        for source in deciding_sources()
        for call in source.calls()
        if reaches(call)
    ]
    assert not reaching, "\n".join(reaching)


def deciding_sources() -> list[Source]:
    return [
        source
        for source in package()
        if source.module.split(".")[1:2]
        and source.module.split(".")[1] in DECIDING_SLICES
        and source.module not in ACTING
    ]


def reaches(call: ast.Call) -> bool:
    text = ast.unparse(call.func)
    if text in READS_THE_WORLD or text.endswith(tuple(f".{name}" for name in READS_THE_WORLD)):
        return True
    is_method = isinstance(call.func, ast.Attribute) and call.func.attr in PATH_METHODS
    return is_method and "Path" in text
