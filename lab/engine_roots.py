"""The root file systems of hosts, one per engine, and the programs taken from them."""

from pathlib import Path

from lab.debian import Recipe, host_tree
from lab.errors import LabError

_EVERY_HOST = (
    "ca-certificates",
    "iproute2",
    "iptables",
    "nftables",
    "openssh-server",
    "procps",
    "tini",
)
_SCRIPT = """\
groupadd -f docker
for user in deploy dial; do
  useradd -m -s /bin/sh -G docker $user
  usermod -p "*" $user
done
rm -f /etc/ssh/ssh_host_*
mkdir -p /etc/docker /srv/shared
rm -f /etc/machine-id /var/lib/dbus/machine-id"""

ENGINES: dict[str, Recipe] = {
    "26": Recipe(
        "engine26",
        "trixie",
        (
            "docker.io",
            "docker-cli",
            "docker-compose",
            "docker-buildx",
            "docker-registry",
            *_EVERY_HOST,
        ),
        _SCRIPT,
    ),
    "20": Recipe("engine20", "bookworm", ("docker.io", *_EVERY_HOST), _SCRIPT),
}
DEFAULT_ENGINE = "26"


def engine_root(engine: str) -> Path:
    """Return the root file system of hosts with this engine, built at first use.

    Raises LabError for an engine that the laboratory does not offer.
    """
    if engine not in ENGINES:
        raise LabError(f"no engine {engine!r}", f"choose one of: {', '.join(ENGINES)}")
    return host_tree(ENGINES[engine])


def toolbox() -> Path:
    """Return the tree whose programs serve the laboratory itself: nft, registry, clients."""
    return engine_root(DEFAULT_ENGINE)
