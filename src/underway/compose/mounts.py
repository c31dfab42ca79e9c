"""A service's mounts: volumes, binds, tmpfs; and binds that travel as files instead."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from underway.compose.canonical import Tree, list_of, mapping_of
from underway.compose.notebook import Notebook, refuse
from underway.compose.quantities import size_bytes
from underway.compose.travelling import bind_files, is_of_this_machine
from underway.model.spec import FileSpec, Mount, MountKind

_ONE_LETTER: Final = re.compile(r"^[A-Za-z]:")
_SOCKETS: Final = ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock")

Mounts = tuple[tuple[Mount, ...], tuple[FileSpec, ...]]


def mounts_of(service: Tree, name: str, notebook: Notebook) -> Mounts:
    """Mounts and travelling files, each sorted; raises ConfigurationError."""
    mounts: list[Mount] = []
    files: list[FileSpec] = []
    for entry in list_of(service.get("volumes")):
        mount = mapping_of(entry)
        place = notebook.positions.item(
            "services", name, "volumes", holds=str(mount.get("target", ""))
        )
        kind = mount.get("type")
        if kind == "bind":
            bound, travelling = _bind(mount, name, notebook, place)
            mounts += bound
            files += travelling
        elif kind == "volume":
            mounts.append(_volume(mount, name, notebook, place))
        elif kind == "tmpfs":
            mounts.append(_tmpfs(mount))
        else:
            refuse(
                "mount-type",
                f"service `{name}` mounts a `{kind}`, which Underway does not carry",
                place=place,
                hint="Use a volume, a bind or tmpfs.",
            )
    return tuple(sorted(mounts)), tuple(sorted(files))


def _volume(mount: Mapping[str, Any], name: str, notebook: Notebook, place: str) -> Mount:
    target, source = str(mount["target"]), str(mount.get("source") or "")
    if not source and _ONE_LETTER.match(target):
        letter = target[0]
        refuse(
            "one-letter-volume",
            f"Compose reads `{target}` as an anonymous volume, not as volume `{letter}`",
            cause="one letter and a colon look like a Windows drive",
            place=place,
            hint=f"Give the volume a longer name, or write {{type: volume, source: {letter}, "
            f"target: {target[2:]}}}.",
        )
    if not source:
        notebook.remark(
            "anonymous-volume",
            f"`{target}` of service `{name}` is an anonymous volume: each new replica starts empty",
            place,
        )
    volume = mapping_of(mount.get("volume"))
    options: dict[str, Any] = {}
    if volume.get("nocopy"):
        options["NoCopy"] = True
    if volume.get("subpath"):
        options["Subpath"] = str(volume["subpath"])
    if volume.get("labels"):
        options["Labels"] = {key: str(text) for key, text in mapping_of(volume["labels"]).items()}
    return Mount(MountKind.VOLUME, source, target, bool(mount.get("read_only")), _json(options))


def _tmpfs(mount: Mapping[str, Any]) -> Mount:
    tmpfs = mapping_of(mount.get("tmpfs"))
    options: dict[str, Any] = {}
    if tmpfs.get("size") is not None:
        options["SizeBytes"] = size_bytes(tmpfs["size"])
    if tmpfs.get("mode") is not None:
        mode = tmpfs["mode"]
        options["Mode"] = mode if isinstance(mode, int) else int(str(mode), 8)
    return Mount(
        MountKind.TMPFS, "", str(mount["target"]), bool(mount.get("read_only")), _json(options)
    )


def _bind(
    mount: Mapping[str, Any], name: str, notebook: Notebook, place: str
) -> tuple[list[Mount], tuple[FileSpec, ...]]:
    """A bind of the host's own path, or of this machine's files, which travel or stay."""
    source, target = str(mount["source"]), str(mount["target"])
    is_ours = is_of_this_machine(mount, notebook.raw_service(name), notebook.directory)
    why = "it is writable: replicas would change a copy"
    if is_ours and mount.get("read_only"):
        files, why = bind_files(mount, name, notebook)
        if not why:
            return [], files
    if is_ours and notebook.is_remote:
        refuse(
            "bind-of-this-machine",
            f"service `{name}` mounts `{source}` of this machine, which remote hosts do not have",
            cause=why,
            place=place,
            hint="Mount it read-only (`:ro`) and small, put it into the image, or use a volume.",
        )
    if source in _SOCKETS or source.endswith("/docker.sock"):
        notebook.remark(
            "engine-socket", f"service `{name}` gets the engine's socket: it rules the host", place
        )
    return [_host_bind(mount, source, target, place)], ()


def _host_bind(mount: Mapping[str, Any], source: str, target: str, place: str) -> Mount:
    bind = mapping_of(mount.get("bind"))
    if bind.get("selinux"):
        refuse(
            "key-refused",
            "`bind.selinux` cannot be said to the engine for this kind of mount",
            place=place,
            hint="Label the directory on the host with `chcon -Rt container_file_t PATH`.",
        )
    options: dict[str, Any] = {}
    if bind.get("propagation"):
        options["Propagation"] = str(bind["propagation"])
    if bind.get("create_host_path", True):
        options["CreateMountpoint"] = True
    if bind.get("recursive") == "disabled":
        options["NonRecursive"] = True
    return Mount(MountKind.BIND, source, target, bool(mount.get("read_only")), _json(options))


def _json(options: Mapping[str, Any]) -> str:
    return json.dumps(options, sort_keys=True, separators=(",", ":")) if options else ""
