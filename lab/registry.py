"""The laboratory's image registry: Debian's docker-registry, plain HTTP, on the bridge address."""

import http.client
import shutil
from pathlib import Path

from lab.command import run, spawn
from lab.engine_roots import toolbox
from lab.layout import LabLayout
from lab.processes import find, kill_and_wait, processes, wait_until

_READY_TIMEOUT_S = 20.0
_ROLE = "registry"
_PROGRAM = "docker-registry"
_CONFIGURATION = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {directory}}}
  delete: {{enabled: true}}
http: {{addr: "{address}", secret: uwlab}}
"""


def registry_pid(laboratory: str) -> int | None:
    """Return the process id of the registry, or None when it does not run."""
    return find(laboratory, _ROLE, _PROGRAM)


def start_registry(lab: LabLayout, *, seed: Path | None = None) -> None:
    """Start the registry where it does not run, filled from a seed at its first start."""
    if seed is not None and not lab.registry_dir.exists():
        copy_seed(seed, lab.registry_dir)
    lab.registry_dir.mkdir(parents=True, exist_ok=True)
    serve(lab.laboratory, lab.registry_dir, address=lab.registry_address, files=lab.run_dir)


def configuration(directory: Path, address: str) -> str:
    """Return the configuration of a registry that stores under `directory`."""
    return _CONFIGURATION.format(directory=directory, address=address)


def serve(laboratory: str, directory: Path, *, address: str, files: Path) -> None:
    """Start a registry process over a directory and wait until it answers."""
    if registry_pid(laboratory) is None:
        file = files / "registry.yml"
        file.write_text(configuration(directory, address))
        spawn(
            [toolbox() / "usr/bin" / _PROGRAM, "serve", file],
            laboratory=laboratory,
            role=_ROLE,
            log=files / "registry.log",
        )
    wait_until(
        lambda: registry_answers(address),
        what="an answer of the registry",
        timeout_s=_READY_TIMEOUT_S,
    )


def stop_registry(laboratory: str) -> None:
    """End the registry; its images stay."""
    kill_and_wait(
        lambda: [
            process
            for process in processes(laboratory)
            if (process.role, process.program) == (_ROLE, _PROGRAM)
        ]
    )


def registry_answers(address: str) -> bool:
    """Tell whether the registry answers at `address` within two seconds."""
    connection = http.client.HTTPConnection(address, timeout=2)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def copy_seed(seed: Path, target: Path) -> None:
    """Copy a seed: blobs as hard links where possible, for the registry never writes into one.

    Tag links are overwritten in place by a push, so they are copied for real.
    """
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    inner = Path("docker/registry/v2")
    (partial / inner).mkdir(parents=True)
    one_device = seed.stat().st_dev == partial.stat().st_dev
    run(["cp", "-al" if one_device else "-a", seed / inner / "blobs", partial / inner])
    run(["cp", "-a", seed / inner / "repositories", partial / inner])
    partial.rename(target)
