"""Rules of the house that no linter knows."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.architecture.sources import ROOT, Source, package, sources

FORBIDDEN_NAMES = {
    "base",
    "common",
    "handler",
    "helper",
    "helpers",
    "manager",
    "misc",
    "util",
    "utils",
}


def test_modules_are_nouns_that_say_something():
    parts = {part for source in sources("src", "lab") for part in source.path.with_suffix("").parts}
    assert parts & FORBIDDEN_NAMES == set()


def test_every_package_and_module_says_what_it_is():
    silent = [
        s.name for s in sources("src", "lab", "scripts") if s.text and not ast.get_docstring(s.tree)
    ]
    assert silent == []


def test_the_package_does_not_know_the_laboratory():
    assert [s.name for s in package() if {"lab", "tests", "scripts"} & top_imports(s)] == []


def test_the_laboratory_needs_the_standard_library_only():
    allowed = set(sys.stdlib_module_names) | {"lab"}
    assert {s.name: extra for s in sources("lab") if (extra := top_imports(s) - allowed)} == {}


def test_nothing_is_mocked():
    mocked = [
        source.name
        for source in sources("tests")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and "mock" in imported(node)
    ]
    assert mocked == []


def test_tests_poll_with_a_deadline_and_do_not_sleep():
    """A sleep is allowed inside a loop only: there it is the pace of a poll."""
    asleep = [
        f"{source.name}:{call.lineno}"
        for source in sources("tests", "bench")
        for call in outside_loops(source.tree)
        if ast.unparse(call.func) in {"time.sleep", "sleep"}
    ]
    assert asleep == []


def test_no_place_of_one_machine_stands_in_the_tree():
    """Neither this checkout's path, nor a developer's home, nor the host of a package index."""
    places = [re.escape(str(ROOT)), *map(re.escape, index_hosts())]
    if Path.home() != Path("/root"):
        places.append(re.escape(str(Path.home())))
    pattern = re.compile(rf"(?<![\w}}./-])({'|'.join(places)})(?![\w-])")
    found = []
    for name in tracked_files():
        text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                found.append(f"{name}:{number}: {line.strip()[:80]}")
    assert not found, "\n".join(found)


def index_hosts() -> list[str]:
    """Hosts that this machine's pip is configured to ask: no file names any of them."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    hosts = {urlsplit(url).hostname or "" for url in re.findall(r"https?://[^\s']+", listing)}
    return sorted(hosts - {""})


def tracked_files() -> list[str]:
    """Files that git knows; a source archive without git has none to show."""
    listing = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listing.stdout.splitlines() if (ROOT / name).is_file()]


def top_imports(source: Source) -> set[str]:
    return {name.split(".")[0] for node in ast.walk(source.tree) for name in names_of(node)}


def names_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        return [node.module]
    return []


def imported(node: ast.Import | ast.ImportFrom) -> set[str]:
    words = {part for name in names_of(node) for part in name.split(".")}
    return words | {alias.name for alias in node.names}


def outside_loops(node: ast.AST) -> list[ast.Call]:
    found: list[ast.Call] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.While | ast.For):
            continue
        if isinstance(child, ast.Call):
            found.append(child)
        found += outside_loops(child)
    return found
