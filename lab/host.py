"""One host: its namespaces, disk and SSH server, from nothing to ready and back to nothing."""

import contextlib
import json
import re
import shutil
import time
from pathlib import Path

from lab.command import run, spawn
from lab.engine import init_pid, inside, start_engine, wait_for_engine, write_settings
from lab.engine_roots import engine_root
from lab.errors import LabError
from lab.layout import HostLayout, LabLayout
from lab.network import plug_in, unplug
from lab.processes import Process, kill_and_wait, processes, wait_until

DISK_GIB = 10
_BOOT_TIMEOUT_S = 20.0
_SSH_PORT = 22
_LISTENING = "0A"  # a socket's state in /proc/net/tcp
_BOOT_SCRIPT = Path(__file__).with_name("host_boot.sh")
_SSHD = """\
HostKey /etc/ssh/host_key
AuthorizedKeysFile /etc/ssh/authorized_keys
PasswordAuthentication no
UsePAM no
UseDNS no
MaxStartups 200
MaxSessions 200
PidFile none
Match User dial
  AllowStreamLocalForwarding no
  AllowTcpForwarding no
"""
_NAMESPACES = ("--net", "--pid", "--mount", "--uts", "--ipc", "--fork", "--kill-child")
_CGROUP_ROOT = Path("/sys/fs/cgroup")


def raise_host(lab: LabLayout, host: HostLayout, *, engine: str, live_restore: bool) -> None:
    """Bring a host up, or what is missing of it; ends when its engine and SSH answer."""
    if (init := init_pid(host)) is None:
        crash_host(host)
        init = _boot(lab, host, engine)
    plug_in(host, lab.bridge, init)
    write_settings(host, init, registry=lab.registry_address, live_restore=live_restore)
    start_engine(host, init)
    _start_ssh(lab, host, init)
    wait_for_engine(host)
    wait_until(
        lambda: _listens(init, _SSH_PORT),
        what=f"{host.name}'s SSH server",
        timeout_s=_BOOT_TIMEOUT_S,
    )


def crash_host(host: HostLayout) -> None:
    """Kill every process of a host; only its disk remains, for the next boot."""

    def alive() -> list[Process]:
        return [p for p in processes(host.laboratory) if p.role.startswith(f"{host.name}.")]

    kill_and_wait(alive)
    unplug(host)
    wait_until(lambda: not _loop_devices(host.disk), what=f"release of {host.disk}", timeout_s=20)
    remove_cgroups(host.cgroup)
    shutil.rmtree(host.run_dir, ignore_errors=True)


def clear_host(host: HostLayout) -> None:
    """Remove every trace of a host: processes, cable, cgroups, loop device, files."""
    crash_host(host)
    shutil.rmtree(host.disk.parent, ignore_errors=True)


def remove_cgroups(pattern: str) -> None:
    """Remove a host's empty control groups in every hierarchy; `pattern` is a glob."""
    for root in (_CGROUP_ROOT, *(path for path in _CGROUP_ROOT.iterdir() if path.is_dir())):
        for top in root.glob(pattern):
            below = sorted(top.rglob("*/"), key=lambda path: len(path.parts), reverse=True)
            for group in (*below, top):
                _remove_group(group)


def _remove_group(group: Path) -> None:
    """Remove one control group; its last tasks may take a moment to leave it."""
    deadline = time.monotonic() + 5
    while group.is_dir():
        with contextlib.suppress(OSError):
            group.rmdir()
            return
        if time.monotonic() > deadline:
            raise LabError(f"control group {group} stays busy")
        time.sleep(0.02)


def _boot(lab: LabLayout, host: HostLayout, engine: str) -> int:
    """Make the disk and the namespaces, and return the process id of the host's init."""
    (host.run_dir / "run").mkdir(parents=True, exist_ok=True)
    host.mount_point.mkdir(exist_ok=True)
    _make_disk(host.disk)
    spawn(
        ["unshare", *_NAMESPACES, "/bin/sh", _BOOT_SCRIPT],
        laboratory=host.laboratory,
        role=host.role("init"),
        log=host.log("boot"),
        settings={
            "DISK": str(host.disk),
            "MOUNT_POINT": str(host.mount_point),
            "RUN_DIR": str(host.run_dir / "run"),
            "SHARED_DIR": str(lab.shared_dir),
            "LOWER": str(engine_root(engine)),
            "HOST_NAME": host.name,
        },
    )
    try:
        wait_until(
            lambda: init_pid(host) is not None,
            what=f"start of {host.name}",
            timeout_s=_BOOT_TIMEOUT_S,
        )
    except LabError as error:
        raise LabError(f"{error}\n{host.log('boot').read_text()}") from error
    init = init_pid(host)
    if init is None:
        raise LabError(f"{host.name} ended right after its start", f"read {host.log('boot')}")
    run([*inside(init), "tee", "/etc/resolv.conf"], stdin=_resolver())
    return init


def _make_disk(disk: Path) -> None:
    """Make a host's disk, a sparse file, where there is none."""
    if disk.exists():
        return
    disk.parent.mkdir(parents=True, exist_ok=True)
    partial = disk.with_suffix(".partial")
    with partial.open("wb") as file:
        file.truncate(DISK_GIB << 30)
    features = ["-m", "0", "-O", "^has_journal", "-E", "lazy_itable_init=1,nodiscard"]
    run(["mkfs.ext4", "-q", "-F", *features, partial])
    partial.rename(disk)


def _start_ssh(lab: LabLayout, host: HostLayout, init: int) -> None:
    """Start the SSH server with the laboratory's keys, where it does not run."""
    if _listens(init, _SSH_PORT):  # sshd writes its title over its environment, and its mark
        return
    key = (lab.ssh_dir / f"{host.name}_host_key").read_text()
    authorized = (lab.ssh_dir / "id_ed25519.pub").read_text()
    command = [*inside(init), "/bin/sh", "-euc"]
    run([*command, "umask 077; mkdir -p /run/sshd; cat > /etc/ssh/host_key"], stdin=key)
    run([*command, "cat > /etc/ssh/authorized_keys"], stdin=authorized)
    run([*command, "cat > /etc/ssh/sshd_config"], stdin=_SSHD)
    spawn(
        [*inside(init), "/usr/sbin/sshd", "-D", "-e"],
        laboratory=host.laboratory,
        role=host.role("ssh"),
        log=host.log("sshd"),
    )


def _listens(init: int, port: int) -> bool:
    """Tell whether something listens on a TCP port of a host, without using its network."""
    rows = [line.split() for line in Path(f"/proc/{init}/net/tcp").read_text().splitlines()[1:]]
    return any(row[1].endswith(f":{port:04X}") and row[3] == _LISTENING for row in rows)


def _resolver() -> str:
    """Return the machine's name servers; a stub on loopback is out of a host's reach."""
    text = Path("/etc/resolv.conf").read_text()
    upstream = Path("/run/systemd/resolve/resolv.conf")
    if re.search(r"^nameserver\s+127\.", text, re.MULTILINE) and upstream.exists():
        return upstream.read_text()
    return text


def _loop_devices(disk: Path) -> list[str]:
    listing = json.loads(run(["losetup", "--json", "--list", "--output", "NAME,BACK-FILE"]) or "{}")
    return [
        device["name"]
        for device in listing.get("loopdevices", [])
        if device["back-file"].removesuffix(" (deleted)") == str(disk)
    ]
