"""What one host tells of itself: engine, disk, clock, live-restore, user namespaces. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from underway.model.check import REACHING, CheckResult, failed, passed, warned
from underway.model.look import ClockLook, DiskLook, HostLook, InsideLook, RegistryLook, Trouble
from underway.model.names import HostName
from underway.model.snapshot import HostState, Snapshot

CLOCK_SKEW_S: Final = 5.0
"""How far a host's clock may be off: logs and history of several hosts are put in order by it."""
DISK_LEAST_BYTES: Final = 512 * 1024**2
"""Less than a small image with its layers unpacked needs."""
DISK_LITTLE_BYTES: Final = 2 * 1024**3
FILES_LEAST: Final = 10_000
"""What one image of an interpreted language brings."""

_LOST: Final = {"host-unreachable", "ssh-failed"}


def host_results(snapshot: Snapshot, host: HostState, look: HostLook) -> Iterator[CheckResult]:
    """All that concerns this host alone."""
    yield _engine(host)
    yield from _inside(host, look)
    yield from _clock(host.name, look.clock)
    yield _restart(host)
    if host.facts.uses_containerd_store:
        yield passed(
            host.name,
            "image store",
            "containerd: images sent without a registry travel whole, not by missing layers",
        )
    yield from _architecture(snapshot, host)
    if host.facts.has_userns:
        yield warned(
            host.name,
            "userns",
            "user namespaces shift the owners of files in volumes",
            "see that volumes filled before belong to the shifted users (/etc/subuid)",
        )
    yield from _registries(host.name, look.registries)


def _engine(host: HostState) -> CheckResult:
    facts = host.facts
    text = f"{facts.version}, API {facts.api_version}, {facts.os}/{facts.architecture}"
    if facts.os != "linux":
        return failed(host.name, "engine", text, "use a host with Linux containers")
    return passed(host.name, "engine", text)


def _inside(host: HostState, look: HostLook) -> Iterator[CheckResult]:
    match look.inside:
        case Trouble("no-space", text):
            yield failed(host.name, "disk", f"full: {text}", _free(host))
        case Trouble(code, text, remedy) if code in _LOST:
            yield failed(host.name, REACHING, text, remedy)
        case Trouble(_, text, remedy):
            remedy = remedy or "look at the engine's log on the host (`journalctl -u docker`)"
            yield failed(host.name, "containers", f"none can be run: {text}", remedy)
        case InsideLook(disk=DiskLook() as disk):
            yield _disk(host, disk)
        case InsideLook():
            yield warned(
                host.name, "disk", "how much is free is not known", "look at `df` on the host"
            )
        case None:
            pass


def _disk(host: HostState, disk: DiskLook) -> CheckResult:
    text = f"{_size(disk.free_bytes)} of {_size(disk.total_bytes)} free"
    if disk.files_total and disk.files_free < FILES_LEAST:
        return failed(
            host.name,
            "disk",
            f"{text}, but only {disk.files_free} more files fit",
            f"remove small files below {_root(host)}, or old images (`docker image prune -a`)",
        )
    if disk.free_bytes < DISK_LEAST_BYTES:
        return failed(host.name, "disk", text, _free(host))
    if disk.free_bytes < DISK_LITTLE_BYTES:
        return warned(host.name, "disk", text, _free(host))
    return passed(host.name, "disk", text)


def _free(host: HostState) -> str:
    return (
        f"free space below {_root(host)} on the host: `docker system df` shows what takes it,"
        " `underway prune` removes images that nothing needs"
    )


def _root(host: HostState) -> str:
    return host.facts.root_dir or "/var/lib/docker"


def _size(amount: int) -> str:
    if amount >= 1024**3:
        return f"{amount / 1024**3:.1f} GiB"
    return f"{amount / 1024**2:.0f} MiB"


def _clock(host: HostName, look: ClockLook | Trouble | None) -> Iterator[CheckResult]:
    """How far the host's time lies outside of the moments between which it was asked."""
    match look:
        case ClockLook(told, asked_at, answered_at):
            try:
                moment = datetime.fromisoformat(told).timestamp()
            except ValueError:
                remedy = "upgrade the engine, and compare `date` on both machines"
                yield warned(host, "clock", "the engine does not tell its time", remedy)
                return
            skew_s = max(asked_at - moment, moment - answered_at, 0.0)
            if skew_s <= CLOCK_SKEW_S:
                yield passed(host, "clock", "as on this machine")
                return
            side = "behind" if moment < asked_at else "ahead of"
            text = f"{skew_s:.0f} s {side} this machine's: times in logs and history are off"
            yield warned(host, "clock", text, "run a time service (chrony, NTP) on both")
        case Trouble(_, text, remedy):
            yield failed(host, REACHING, text, remedy)
        case None:
            pass


def _restart(host: HostState) -> CheckResult:
    if host.facts.has_live_restore:
        return passed(host.name, "live-restore", "containers run on while the engine restarts")
    return warned(
        host.name,
        "live-restore",
        "off: a restart of the engine stops every container",
        'set "live-restore": true in /etc/docker/daemon.json and reload the engine',
    )


def _architecture(snapshot: Snapshot, host: HostState) -> Iterator[CheckResult]:
    others = {other.facts.architecture for other in snapshot.reachable} - {host.facts.architecture}
    if others:
        yield warned(
            host.name,
            "architecture",
            f"{host.facts.architecture}, other hosts are {', '.join(sorted(others))}",
            "build images for every architecture (`build.platforms`)",
        )


def _registries(host: HostName, looks: tuple[RegistryLook, ...]) -> Iterator[CheckResult]:
    for registry in dict.fromkeys(look.registry for look in looks):
        judged = [_registry(host, look) for look in looks if look.registry == registry]
        troubled = [result for result in judged if result is not None]
        yield from troubled or [passed(host, "registry", f"{registry} answers")]


def _registry(host: HostName, look: RegistryLook) -> CheckResult | None:
    """An image that is built may not be there yet; some registries deny what is not there."""
    trouble = look.trouble
    if trouble is None or (look.is_built and trouble.code == "image-missing"):
        return None
    text = f"{look.registry}: {trouble.text}"
    remedy = trouble.remedy or "look at the registry's log"
    if look.is_built and trouble.code == "registry-denied":
        remedy = f"{remedy} If nothing was pushed there yet, this may pass with the first push."
        return warned(host, "registry", text, remedy)
    return failed(host, "registry", text, remedy)
