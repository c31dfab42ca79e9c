"""A bare server: what it says of itself, and the commands that make a Docker host of it. Pure."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

LOOK: Final = r"""
printf 'login=%s\n' "$(id -un)"
printf 'home=%s\n' "$HOME"
if [ "$(id -u)" = 0 ]; then echo root=yes; elif sudo -n true 2>/dev/null; then echo sudo=yes; fi
if [ -r /etc/os-release ]; then (. /etc/os-release; printf 'system=%s\n' "${PRETTY_NAME:-}"); fi
for name in apt-get dnf; do
  if command -v "$name" >/dev/null; then printf 'packages=%s\n' "$name"; break; fi
done
PATH="$PATH:/usr/sbin:/sbin"
if command -v dockerd >/dev/null; then echo program=yes; fi
# The file outlives an engine that was killed: what counts is that somebody listens there.
if grep -qE ' (/var)?/run/docker\.sock$' /proc/net/unix; then echo socket=yes; fi
if [ -d /run/systemd/system ]; then
  echo systemd=yes
  if systemctl is-enabled --quiet docker 2>/dev/null; then echo enabled=yes; fi
fi
user="${1:-$(id -un)}"
if id "$user" >/dev/null 2>&1; then
  echo account=yes
  printf 'groups=%s\n' "$(id -nG "$user")"
fi
if [ -s "$HOME/.ssh/authorized_keys" ]; then echo source=yes; fi
if [ "$user" = "$(id -un)" ]; then
  echo keys=yes
elif [ "$(id -u)" = 0 ]; then
  if eval "[ -s ~$user/.ssh/authorized_keys ]"; then echo keys=yes; fi
elif sudo -n sh -c "[ -s ~$user/.ssh/authorized_keys ]" 2>/dev/null; then
  echo keys=yes
fi
"""
"""A shell script that changes nothing; `$1` is the user who shall deploy, "" for who logs in."""

_APT: Final = "DEBIAN_FRONTEND=noninteractive apt-get"
_INSTALLS: Final = {
    "apt-get": (f"{_APT} update", f"{_APT} install -y docker.io"),
    "dnf": ("dnf install -y moby-engine || dnf install -y docker",),
}
"""How each distribution's own client installs its own Docker."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a server says of itself.

    `login` is who logs in, `user` who shall deploy. `packages` is the distribution's client, ""
    where it has none that is known here. `may_hand_on`: the keys that let in lie with `login`, not
    somewhere that lets everybody in who is known there.
    """

    login: str
    user: str
    home: str = ""
    system: str = ""
    packages: str = ""
    is_root: bool = False
    has_sudo: bool = False
    has_engine: bool = False
    answers: bool = False
    has_systemd: bool = False
    is_enabled: bool = False
    has_account: bool = False
    has_keys: bool = False
    may_hand_on: bool = False
    groups: tuple[str, ...] = ()

    @property
    def may_change(self) -> bool:
        """Whether commands can be run as root without a password."""
        return self.is_root or self.has_sudo

    @property
    def may_use_engine(self) -> bool:
        """Whether the user who deploys may speak to the engine."""
        return "docker" in self.groups or (self.user == self.login and self.is_root)


@dataclass(frozen=True, slots=True)
class GroundCommand:
    """A command that is run as root on the server, and why."""

    text: str
    cause: str


def ground_of(told: str, user: str = "") -> Ground:
    """What the output of `LOOK` says; `user` is the one that it was asked about."""
    facts = dict(line.partition("=")[::2] for line in told.splitlines() if "=" in line)
    login = facts.get("login", "")
    return Ground(
        login=login,
        user=user or login,
        home=facts.get("home", ""),
        system=facts.get("system", ""),
        packages=facts.get("packages", ""),
        groups=tuple(facts.get("groups", "").split()),
        **_answers(facts),
    )


def _answers(facts: Mapping[str, str]) -> dict[str, bool]:
    fields = {
        "is_root": "root",
        "has_sudo": "sudo",
        "has_engine": "program",
        "answers": "socket",
        "has_systemd": "systemd",
        "is_enabled": "enabled",
        "has_account": "account",
        "has_keys": "keys",
        "may_hand_on": "source",
    }
    return {field: facts.get(name) == "yes" for field, name in fields.items()}


def can_install(ground: Ground) -> bool:
    """Whether Docker is there, or comes from the distribution."""
    return ground.has_engine or ground.packages in _INSTALLS


def setup_commands(ground: Ground) -> tuple[GroundCommand, ...]:
    """The commands that are still missing, in order; () on a server that is set up."""
    return (*_engine(ground), *_user(ground))


def _engine(ground: Ground) -> Iterator[GroundCommand]:
    if not ground.has_engine:
        for text in _INSTALLS[ground.packages]:
            yield GroundCommand(text, "Docker comes from the distribution")
    if ground.has_systemd and not (ground.is_enabled and ground.answers):
        yield GroundCommand("systemctl enable --now docker", "it runs now and after each boot")
    elif not ground.has_systemd and not ground.answers:
        yield GroundCommand("service docker start", "it runs now")


def _user(ground: Ground) -> Iterator[GroundCommand]:
    user = shlex.quote(ground.user)
    if not ground.has_account:
        # An account without a password is locked, and some SSH servers let no locked one in.
        made = f"useradd --create-home --shell /bin/sh --password '*' {user}"
        yield GroundCommand(made, "who deploys")
    if not ground.may_use_engine:
        yield GroundCommand(
            f"usermod --append --groups docker {user}", f"{ground.user} may use the engine"
        )
    if ground.may_hand_on and not ground.has_keys:
        keys = shlex.quote(f"{ground.home}/.ssh/authorized_keys")
        copied = (
            f"install -d -m 700 -o {user} -g {user} ~{user}/.ssh && "
            f"install -m 600 -o {user} -g {user} {keys} ~{user}/.ssh/authorized_keys"
        )
        yield GroundCommand(copied, f"the keys that let {ground.login} in let {ground.user} in")
