"""What probe containers run, and how their answers are read. Pure.

One looks around with the host's network and a file system of the engine's own disk, one listens on
the host's private address, and one, made only where a process outside Docker holds the edge's port,
sees the host's processes.
"""

import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from underway.model.container import ContainerRequest, PublishedPort
from underway.model.look import ConnectionLook, DiskLook, Holder, InsideLook, Reach
from underway.model.names import ContainerName, HostName

LIVES_S: Final = 90
"""A probe whose client died ends itself, and the engine removes it."""
LISTENER_PORT: Final = 9000
CONNECT_S: Final = 6
_KIB: Final = 1024
_DF_FIELDS: Final = 6

LOOK: Final = """
echo '== disk'; df -Pk / | tail -n 1
echo '== files'; df -Pi / | tail -n 1
echo '== listening'; grep -hs ' 0A ' /proc/net/tcp /proc/net/tcp6
echo '== ipv4'; cat /proc/net/fib_trie
echo '== ipv6'; cat /proc/net/if_inet6 2>/dev/null
exit 0
"""

# A port that the engine publishes answers before the listener behind it does: an empty answer is
# asked for again.
CONNECT: Final = f"""
reach() {{
  said=$(timeout {CONNECT_S} bash -c '
    for _ in 1 2 3 4 5 6 7 8; do
      exec 3<>"/dev/tcp/$1/$2" || exit 1
      IFS= read -r -t 3 line <&3
      [ -z "$line" ] || break
      exec 3>&-
      sleep 0.2
    done
    printf %s "$line"' connect "$2" "$3" 2>/dev/null)
  printf '%s\\t%s\\t%s\\n' "$1" "$?" "$said"
}}
while [ $# -ge 3 ]; do
  reach "$1" "$2" "$3" &
  shift 3
done
wait
"""
_REFUSED: Final = 1

HOLDERS: Final = """
grep -hs ' 0A ' /proc/net/tcp /proc/net/tcp6 |
while read -r _ local _ _ _ _ _ _ _ inode _; do
  case "$local" in *:"$1") ;; *) continue ;; esac
  find /proc/[0-9]*/fd -lname "socket:\\[$inode\\]" 2>/dev/null
done |
while IFS=/ read -r _ _ pid _; do
  id=$(grep -o '[0-9a-f]\\{64\\}' "/proc/$pid/cgroup" | tail -n 1)
  printf '%s\\t%s\\t%s\\n' "$pid" "$(cat "/proc/$pid/comm")" "$id"
done
exit 0
"""

_HARDENED: Final[Mapping[str, Any]] = {
    "AutoRemove": True,
    "CapDrop": ["ALL"],
    "LogConfig": {"Type": "none"},
    "ReadonlyRootfs": True,
    "SecurityOpt": ["no-new-privileges"],
}
_SEES_PROCESSES: Final[Mapping[str, Any]] = {
    "CapAdd": ["SYS_PTRACE", "DAC_READ_SEARCH"],
    "CgroupnsMode": "host",
    "PidMode": "host",
    "SecurityOpt": ["no-new-privileges", "apparmor=unconfined"],
}


def look_request(
    name: ContainerName, image: str, labels: Mapping[str, str], *, sees_processes: bool = False
) -> ContainerRequest:
    """A container that waits to be asked, in the host's network, and mounts nothing."""
    host = {**_HARDENED, **(_SEES_PROCESSES if sees_processes else {}), "UsernsMode": "host"}
    return ContainerRequest(
        name=name,
        image=image,
        labels=tuple(sorted(labels.items())),
        engine=json.dumps({"HostConfig": host}, sort_keys=True),
        command=("sleep", str(LIVES_S)),
        network_mode="host",
        stop_grace_s=1,
    )


def listen_request(
    name: ContainerName, image: str, labels: Mapping[str, str], *, place: PublishedPort, token: str
) -> ContainerRequest:
    """A container that answers every connection to `place` with `token` (letters and digits)."""
    listen = f"TCP-LISTEN:{place.container_port},reuseaddr,fork"
    return ContainerRequest(
        name=name,
        image=image,
        labels=tuple(sorted(labels.items())),
        engine=json.dumps({"HostConfig": dict(_HARDENED)}, sort_keys=True),
        command=("timeout", str(LIVES_S), "socat", listen, f"SYSTEM:echo {token}"),
        published=(place,),
        stop_grace_s=1,
    )


def inside_of(text: str) -> InsideLook:
    """What `LOOK` saw."""
    sections = _sections(text)
    return InsideLook(
        disk=_disk(sections.get("disk", []), sections.get("files", [])),
        addresses=frozenset(_addresses(sections.get("ipv4", []), sections.get("ipv6", []))),
        listening=frozenset(_listening(sections.get("listening", []))),
    )


def connections_of(
    text: str, edge: HostName, tokens: Mapping[HostName, tuple[int, str]]
) -> Iterator[ConnectionLook]:
    """What `CONNECT` met; `tokens` are the ports tried and what the listeners there answer."""
    told = {fields[0]: fields[1:] for line in text.splitlines() if (fields := line.split("\t"))}
    for host, (port, token) in sorted(tokens.items()):
        status, said = (*told.get(host, ()), "", "")[:2]
        if said == token:
            reach = Reach.REACHED
        elif said:
            reach = Reach.STRANGER
        elif status == str(_REFUSED):
            reach = Reach.REFUSED
        else:
            reach = Reach.SILENT if status else Reach.UNTRIED
        yield ConnectionLook(edge, host, port, reach)


def holders_of(text: str) -> tuple[Holder, ...]:
    """What `HOLDERS` saw: of the processes of one name that share a socket, the first."""
    found: dict[tuple[str, str], Holder] = {}
    for line in text.splitlines():
        pid, process, container = (*line.split("\t"), "", "")[:3]
        if pid.isdecimal():
            holder = Holder(process, int(pid), container)
            seen = found.setdefault((process, container), holder)
            found[process, container] = min(seen, holder)
    return tuple(sorted(found.values()))


def _sections(text: str) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("== "):
            lines = sections.setdefault(line[3:], [])
        else:
            lines.append(line)
    return sections


def _disk(blocks: list[str], files: list[str]) -> DiskLook | None:
    """The last lines of `df -Pk` and `df -Pi`: name, total, used, free, share, place."""
    space = blocks[-1].split() if blocks else []
    counted = files[-1].split() if files else []
    if len(space) < _DF_FIELDS or not (space[1].isdecimal() and space[3].isdecimal()):
        return None
    has_files = len(counted) >= _DF_FIELDS and counted[1].isdecimal() and counted[3].isdecimal()
    return DiskLook(
        free_bytes=int(space[3]) * _KIB,
        total_bytes=int(space[1]) * _KIB,
        files_free=int(counted[3]) if has_files else 0,
        files_total=int(counted[1]) if has_files else 0,
    )


def _listening(lines: Iterable[str]) -> Iterator[int]:
    """Local ports of `/proc/net/tcp` lines, which write `ADDRESS:PORT` in hexadecimal."""
    for line in lines:
        fields = line.split()
        if len(fields) > 1 and ":" in fields[1]:
            yield int(fields[1].rpartition(":")[2], 16)


def _addresses(ipv4: Iterable[str], ipv6: Iterable[str]) -> Iterator[str]:
    """The host's own addresses, those of loopback and of one link excepted."""
    before = ""
    for line in ipv4:
        if "/32 host LOCAL" in line:
            yield from _usable(before.rpartition(" ")[2])
        before = line
    for line in ipv6:
        digits = line.split()[0] if line.split() else ""
        yield from _usable(":".join(digits[i : i + 4] for i in range(0, len(digits), 4)))


def _usable(text: str) -> Iterator[str]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return
    if not (address.is_loopback or address.is_link_local):
        yield str(address)
