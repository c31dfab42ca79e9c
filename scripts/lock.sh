#!/usr/bin/env bash
# Writes requirements.lock anew: every dependency of pyproject.toml, of the development group and of
# the build, pinned with the hashes of all its files. `UPGRADE=1` moves to the newest versions.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
.venv/bin/python -m venv "$work/venv"
"$work/venv/bin/pip" --disable-pip-version-check --quiet install pip-tools
.venv/bin/python - >"$work/wanted.in" <<'END'
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text())
wanted = [
    *project["project"]["dependencies"],
    *(name for extra in project["project"]["optional-dependencies"].values() for name in extra),
    *project["dependency-groups"]["dev"],
    *project["build-system"]["requires"],
    "editables",
]
print(*sorted(set(wanted)), sep="\n")
END
[ -n "${UPGRADE:-}" ] || cp requirements.lock "$work/requirements.lock"
"$work/venv/bin/pip-compile" --quiet --generate-hashes --strip-extras --no-annotate --no-header \
  --no-emit-index-url --no-emit-find-links --output-file "$work/requirements.lock" "$work/wanted.in"
cp "$work/requirements.lock" requirements.lock
