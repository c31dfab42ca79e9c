"""A host's engine: containerd and dockerd as two daemons inside the host, as Debian runs them."""

import http.client
import json
import signal
import socket

from lab.command import attempt, run, spawn
from lab.errors import LabError
from lab.layout import HostLayout
from lab.network import uplink_mtu
from lab.processes import find, send, wait_until

READY_TIMEOUT_S = 60.0
_PING_TIMEOUT_S = 2.0


def init_pid(host: HostLayout) -> int | None:
    """Return the process id of the host's init, seen from the machine."""
    return find(host.laboratory, host.role("init"), "tini")


def engine_pid(host: HostLayout) -> int | None:
    """Return the process id of the host's dockerd, or None when it does not run."""
    return find(host.laboratory, host.role("engine"), "dockerd")


def inside(init: int) -> list[str]:
    """Return the command prefix that runs a program inside a host."""
    return ["nsenter", f"--target={init}", "--mount", "--uts", "--ipc", "--net", "--pid", "--"]


def write_settings(host: HostLayout, init: int, *, registry: str, live_restore: bool) -> None:
    """Write the engine's configuration file inside the host."""
    settings = {
        "live-restore": live_restore,
        # The builder of engine 20 takes plain HTTP only from an entry that names the scheme.
        "insecure-registries": [registry, f"http://{registry}"],
        "storage-driver": "overlay2",
        "cgroup-parent": f"/{host.cgroup}",
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "containerd": "/run/containerd/containerd.sock",
        "mtu": uplink_mtu(),
        "shutdown-timeout": 5,
    }
    text = json.dumps(settings, indent=2)
    run([*inside(init), "tee", "/etc/docker/daemon.json"], stdin=text)


def start_engine(host: HostLayout, init: int, *options: str) -> None:
    """Start containerd and dockerd (with more `options`) where they do not run; does not wait."""
    if find(host.laboratory, host.role("containerd"), "containerd") is None:
        spawn(
            [*inside(init), "containerd"],
            laboratory=host.laboratory,
            role=host.role("containerd"),
            log=host.log("containerd"),
        )
    if engine_pid(host) is None:
        run([*inside(init), "rm", "-f", "/run/docker.pid"])
        spawn(
            [*inside(init), "dockerd", "-H", "unix:///var/run/docker.sock", *options],
            laboratory=host.laboratory,
            role=host.role("engine"),
            log=host.log("dockerd"),
        )


def wait_for_engine(host: HostLayout) -> None:
    """Wait until the engine answers; raises LabError with the end of its log otherwise."""
    try:
        wait_until(
            lambda: engine_answers(host),
            what=f"an answer of {host.name}'s engine",
            timeout_s=READY_TIMEOUT_S,
        )
    except LabError as error:
        tail = attempt(["tail", "-n", "5", host.log("dockerd")]).stdout
        raise LabError(f"{error}\n{tail}", f"read {host.log('dockerd')}") from error


def kill_engine(host: HostLayout) -> None:
    """End dockerd with SIGKILL; containers go on under their shims."""
    if (pid := engine_pid(host)) is not None:
        send(pid, signal.SIGKILL)
        wait_until(lambda: engine_pid(host) is None, what="the engine's end", timeout_s=10)


def stop_engine(host: HostLayout) -> None:
    """End dockerd with SIGTERM, as a service manager does."""
    if (pid := engine_pid(host)) is not None:
        send(pid, signal.SIGTERM)
        wait_until(lambda: engine_pid(host) is None, what="the engine's end", timeout_s=30)


def engine_answers(host: HostLayout) -> bool:
    """Tell whether the engine answers a ping on its socket within two seconds."""
    connection = http.client.HTTPConnection("engine", timeout=_PING_TIMEOUT_S)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.settimeout(_PING_TIMEOUT_S)
    try:
        connection.sock.connect(str(host.socket))
        connection.request("GET", "/_ping")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
