#!/usr/bin/env bash
# Makes .venv with exactly the packages of requirements.lock, and this project in place.
# A stamp, written last, makes a second run a no-op and an interrupted one start again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python="${PYTHON:-python3}"
stamp=.venv/.made-from

fail() {
  printf 'setup: %s\n' "$1" >&2
  exit 1
}

command -v "$python" >/dev/null || fail "no $python: install Python 3.11 or newer, or set PYTHON"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "$python is older than 3.11: set PYTHON to a newer one"

wanted="$(
  {
    "$python" -c 'import sys; print(sys.version_info[:2])'
    pwd
    cat requirements.lock
    sed -n '/^\[build-system\]/,/^\[dependency-groups\]/p' pyproject.toml
  } | sha256sum
)"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
  exit 0
fi

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
    fail "$python has no venv module: install python3-venv"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq -o DPkg::Lock::Timeout=300 update
  apt-get -qq -y -o DPkg::Lock::Timeout=300 --no-install-recommends install python3-venv >/dev/null
fi

echo "setup: making .venv from requirements.lock"
rm -f "$stamp"
"$python" -m venv .venv
pip=(.venv/bin/python -m pip --disable-pip-version-check --quiet --quiet)
"${pip[@]}" install --require-hashes -r requirements.lock
"${pip[@]}" install --no-deps --no-build-isolation -e .
"${pip[@]}" check
printf '%s\n' "$wanted" >"$stamp"
