#!/usr/bin/env bash
# Installs the programs that tests on real engines run and that a bare machine may lack.
# The laboratory itself brings Docker, registry and base images from the distribution's packages.
set -euo pipefail

declare -A package_of=(
  [debootstrap]=debootstrap
  [git]=git
  [haproxy]=haproxy
  [ip]=iproute2
  [losetup]=mount
  [mkfs.ext4]=e2fsprogs
  [nsenter]=util-linux
  [openssl]=openssl
  [socat]=socat
  [sqlite3]=sqlite3
  [ssh]=openssh-client
  [zstd]=zstd
)
missing=()
for program in "${!package_of[@]}"; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null || missing+=("${package_of[$program]}")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  printf 'machine: install these packages first: %s\n' "${missing[*]}" >&2
  exit 1
fi
echo "machine: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d # while it stands, a package's service is not started
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
log="$(mktemp)"
apt() { # quiet unless it fails: what a package manager prints is read by nobody who succeeds
  apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 || { cat "$log" >&2 && exit 1; }
}
apt update
apt -y --no-install-recommends install "${missing[@]}"
rm -f "$log"
