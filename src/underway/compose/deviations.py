"""Where what Underway makes of a file differs from what `docker compose up` makes of it, and why.

The one table; the reference page is generated from it. A test on a real engine runs the same files
with both, compares what `docker inspect` tells field by field, and fails for a difference that is
not in this table, and for a row that nothing needs any more.
"""

import re
from typing import Final, NamedTuple

ANY: Final = "*"
NONE: Final = ""
_ANONYMOUS: Final = f'"{"?" * 64}"'


class Deviation(NamedTuple):
    """Fields that differ. In a path or a value (as JSON) `*` stands for anything, `?` for a letter.

    A value "" stands for none.

    `kind` is what is inspected: a container, network or volume.
    """

    kind: str
    path: str
    compose: str
    underway: str
    reason: str

    def covers(self, kind: str, path: str, compose: str, underway: str) -> bool:
        """Whether a difference is this one."""
        pairs = ((self.path, path), (self.compose, compose), (self.underway, underway))
        return kind == self.kind and all(_is_like(pattern, text) for pattern, text in pairs)


def _is_like(pattern: str, text: str) -> bool:
    words = {"*": ".*", "?": "."}
    regex = "".join(words.get(letter) or re.escape(letter) for letter in pattern)
    return re.fullmatch(regex, text, re.DOTALL) is not None


def _all(kind: str, reason: str, *rows: tuple[str, str, str]) -> tuple[Deviation, ...]:
    return tuple(Deviation(kind, *row, reason) for row in rows)


_MADE_ANEW: Final = _all(
    "container",
    "The engine makes it for each container.",
    *(
        (path, ANY, ANY)
        for path in (
            "Created",
            "ExecIDs",
            "GraphDriver.Data.*",
            "HostnamePath",
            "HostsPath",
            "Id",
            "LogPath",
            "NetworkSettings.Networks*.EndpointID",
            "NetworkSettings.Networks*.MacAddress",
            "NetworkSettings.Networks*.NetworkID",
            "NetworkSettings.SandboxID",
            "NetworkSettings.SandboxKey",
            "ResolvConfPath",
            "State.FinishedAt",
            "State.Health.*",
            "State.Pid",
            "State.StartedAt",
        )
    ),
    ("Config.Hostname", f'"{"?" * 12}"', f'"{"?" * 12}"'),
    ("Mounts[*].Name", _ANONYMOUS, _ANONYMOUS),
    ("Mounts[*].Source", f"*/{_ANONYMOUS[1:-1]}/_data*", f"*/{_ANONYMOUS[1:-1]}/_data*"),
)

_NAMES: Final = (
    *_all(
        "container",
        "A replica's name carries its generation, so that two generations stand side by side. "
        "Only names that outlive it (service, aliases, `container_name`) are network aliases.",
        ("Name", '"/harbour*', '"/harbour-*-??????-?"'),
        ("NetworkSettings.Networks*.Aliases", '*"harbour-*', ANY),
        ("NetworkSettings.Networks*.DNSNames", ANY, ANY),
    ),
    *_all(
        "container",
        "Labels tell whose container it is, and each program has its own.",
        ("Config.Labels[com.docker.compose.*]", ANY, NONE),
        ("Config.Labels[underway.*]", NONE, ANY),
    ),
    *_all(
        "container",
        "What runs is named by its digest: it is what was resolved for the release.",
        ("Config.Image", ANY, "*@sha256:*"),
    ),
    *_all(
        "container",
        "`links` decides the order; the linked service is reached by its name in the network.",
        ("NetworkSettings.Networks*.Links", ANY, NONE),
    ),
)

_RUNNING: Final = (
    *_all(
        "container",
        "In production a service without `restart` comes back after a crash and a reboot; each "
        "deploy says so.",
        ("HostConfig.RestartPolicy.Name", '"no"', '"unless-stopped"'),
    ),
    *_all(
        "container",
        "How long a container may take to stop is written down with it: 10 s, as by default.",
        ("Config.StopTimeout", NONE, "10"),
    ),
    *_all(
        "container",
        "Compose attaches to what it starts; Underway reads the engine's logs.",
        ("Config.AttachStderr", "true", NONE),
        ("Config.AttachStdout", "true", NONE),
    ),
    *_all(
        "container",
        "Both spellings of a capability mean the same.",
        ("HostConfig.CapAdd", '*"CAP_*', ANY),
        ("HostConfig.CapDrop", '*"CAP_*', ANY),
    ),
)

_PORTS: Final = (
    *_all(
        "container",
        "Ports without an address are published on loopback, on a fleet on the private address: "
        "Docker's published ports go around the host's firewall. `x-underway: {public: true}` "
        "opens one.",
        ("HostConfig.PortBindings[*]", '*"HostIp": ""*', '*"HostIp": "127.0.0.1"*'),
        ("NetworkSettings.Ports[*]", '*"HostIp": "0.0.0.0"*', '*"HostIp": "127.0.0.1"*'),
    ),
    *_all(
        "container",
        "The engine takes the next free port of the range.",
        ("NetworkSettings.Ports[100/tcp]", '*"127.0.0.1"*"810*"*', '*"127.0.0.1"*"810*"*'),
        ("NetworkSettings.Ports[84/tcp]", '*"127.0.0.1"*"820*"*', '*"127.0.0.1"*"820*"*'),
    ),
)

_ADDRESSES: Final = (
    *_all(
        "container",
        "Networks have a subnet that Underway chose, or its upper half where the file names one: "
        "replicas behind the edge have fixed addresses, which needs a subnet that is known.",
        ("NetworkSettings.Networks*.Gateway", ANY, '"10.213.*"'),
        ("NetworkSettings.Networks*.IPAddress", ANY, '"10.21*"'),
        ("NetworkSettings.Networks*.IPPrefixLen", ANY, "24"),
    ),
    *_all(
        "network",
        "Networks have a subnet that Underway chose, or its upper half where the file names one: "
        "replicas behind the edge have fixed addresses, which needs a subnet that is known.",
        ("IPAM.Config", ANY, '*"Subnet": "10.21*'),
    ),
    *_all(
        "network",
        "The engine makes it for each network.",
        ("Containers*", ANY, ANY),
        ("Created", ANY, ANY),
        ("Id", ANY, ANY),
    ),
    *_all(
        "network",
        "Labels tell whose network it is, and each program has its own.",
        ("Labels[com.docker.compose.*]", ANY, NONE),
        ("Labels[underway.*]", NONE, ANY),
    ),
)

_DATA: Final = (
    *_all(
        "container",
        "Configs, and small read-only binds of this machine's files, travel with the release and "
        "are written into the container before it starts: a remote host has no such files.",
        *(
            (f"{place}[{target}].*", ANY, NONE)
            for place in ("HostConfig.Mounts", "Mounts")
            for target in ("/chart", "/etc/chart")
        ),
        ("Mounts[/etc/pilot*].*", ANY, NONE),
        ("Mounts[/srv/data].*", ANY, NONE),
        ("HostConfig.Binds", "*/config/pilot.conf:/etc/pilot.conf:ro*", '*"/srv:/outside:*'),
        ("HostConfig.Binds", '["*/data:/srv/data:ro"]', NONE),
    ),
    *_all(
        "container",
        "Secrets stand in a volume of their own generation, with their owner and mode, and one "
        "with a `target` elsewhere is written there: they work on remote hosts and in `read_only` "
        "containers, and stay what they were when the release is rolled back to.",
        *(
            (f"{place}[{target}].*", ANY, NONE)
            for place in ("HostConfig.Mounts", "Mounts")
            for target in ("/etc/harbour/key", "/run/secrets/*")
        ),
        ("HostConfig.Mounts[/run/secrets].*", NONE, ANY),
        ("Mounts[/run/secrets].*", NONE, ANY),
    ),
    *_all(
        "container",
        "Volumes are mounted by the engine's long form, Compose takes the short one where it can; "
        "the same volume stands at the same place with the same access.",
        ("HostConfig.Binds", '*"harbour_hold:*', NONE),
        ("HostConfig.Mounts[/srv/*].*", NONE, ANY),
        ("Mounts[/srv/*].Mode", '"r*"', '"z"'),
    ),
    *_all(
        "container",
        "Binds of a host's own path are mounted by the engine's short form, which makes the "
        "directory on engines of all ages.",
        ("HostConfig.Mounts[/outside].*", ANY, NONE),
        ("Mounts[/outside].Mode", NONE, '"rw,rprivate"'),
    ),
    *_all(
        "volume",
        "Labels tell whose volume it is, and each program has its own.",
        ("Labels[com.docker.compose.*]", ANY, NONE),
        ("Labels[underway.*]", NONE, ANY),
    ),
    *_all("volume", "The engine makes it for each volume.", ("CreatedAt", ANY, ANY)),
)

DEVIATIONS: Final = (
    *_MADE_ANEW,
    *_NAMES,
    *_RUNNING,
    *_PORTS,
    *_ADDRESSES,
    *_DATA,
)
