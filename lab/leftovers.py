"""What a laboratory may have left behind, found by name alone and removed."""

import contextlib
import json
import os
import re
import shutil
from pathlib import Path

from lab.command import attempt, run
from lab.host import remove_cgroups
from lab.layout import DATA_ROOT, RUN_ROOT, LabLayout
from lab.network import remove_bridge, restore_forwarding
from lab.processes import kill_and_wait, processes


def kill_processes(name: str) -> None:
    """Kill every process that carries the laboratory's mark, except the caller."""
    kill_and_wait(lambda: [p for p in processes(name) if p.pid != os.getpid()])


def known_names() -> set[str]:
    """Return the names that running processes and data directories carry."""
    names = {process.laboratory for process in processes()}
    if DATA_ROOT.is_dir():
        names |= {path.name for path in DATA_ROOT.iterdir() if path.is_dir()}
    return names


def remove_directories(name: str) -> None:
    """Remove a laboratory's directories, and the roots when nobody else uses them."""
    shutil.rmtree(DATA_ROOT / name, ignore_errors=True)
    shutil.rmtree(RUN_ROOT / name, ignore_errors=True)
    if not _has_directories(RUN_ROOT):
        restore_forwarding()
    for root in (RUN_ROOT, DATA_ROOT):
        with contextlib.suppress(OSError):
            root.rmdir()


def sweep() -> None:
    """Remove bridges, tables and control groups whose record is gone."""
    links = json.loads(run(["ip", "-json", "link", "show"]) or "[]")
    networks = {
        int(match[1]) for link in links if (match := re.match(r"uwlab-(\d+)(-|$)", link["ifname"]))
    }
    for link in links:
        if re.match(r"uwlab-\d+-\d+", link["ifname"]):
            attempt(["ip", "link", "delete", link["ifname"]])
    for network in networks:
        remove_bridge(LabLayout("", network))
    remove_cgroups("uwlab-*")


def _has_directories(root: Path) -> bool:
    return root.is_dir() and any(path.is_dir() for path in root.iterdir())
