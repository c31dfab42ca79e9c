"""The app's named volumes: who shares them, and what stands behind them."""

from typing import Final

from underway.compose.canonical import mapping_of, text_of
from underway.compose.notebook import Notebook, refuse
from underway.compose.wishes import VolumeWish
from underway.compose.x_underway import KEY, volume_wish
from underway.model.names import AppName, VolumeName
from underway.model.spec import VolumeKind, VolumeSpec

_NETWORK_TYPES: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "fuse.sshfs"}
)


def volumes_of(app: AppName, notebook: Notebook) -> dict[VolumeName, VolumeSpec]:
    """All volumes by name; `is_single_writer` only where the file says so itself."""
    volumes = {}
    for name, definition in sorted(mapping_of(notebook.canonical.get("volumes")).items()):
        volume = mapping_of(definition)
        wish = volume_wish(volume, name, notebook.positions)
        options = {
            key: text_of(value) for key, value in mapping_of(volume.get("driver_opts")).items()
        }
        _check_device(name, options, notebook)
        volumes[VolumeName(name)] = VolumeSpec(
            name=VolumeName(name),
            physical=str(volume.get("name") or f"{app}_{name}"),
            kind=_kind(name, wish, options, notebook),
            driver=str(volume.get("driver") or "local"),
            driver_opts=tuple(sorted(options.items())),
            labels=tuple(
                sorted((k, text_of(v)) for k, v in mapping_of(volume.get("labels")).items())
            ),
            is_external=bool(volume.get("external")),
            is_single_writer=bool(wish.single_writer),
        )
    return volumes


def writers_denied(notebook: Notebook) -> frozenset[VolumeName]:
    """The volumes whose file says `single_writer: false`."""
    denied = set()
    for name, definition in mapping_of(notebook.canonical.get("volumes")).items():
        wish = mapping_of(mapping_of(definition).get(KEY))
        if wish.get("single_writer") is False:
            denied.add(VolumeName(name))
    return frozenset(denied)


def _check_device(name: str, options: dict[str, str], notebook: Notebook) -> None:
    """Refuse a volume over a directory of this machine where hosts are others.

    Compose resolves `device: ./data` against the file's directory; the host has no such path.
    """
    raw = mapping_of(mapping_of(notebook.raw.get("volumes")).get(name))
    written = text_of(mapping_of(raw.get("driver_opts")).get("device"))
    is_bind = "bind" in options.get("o", "").split(",")
    if is_bind and notebook.is_remote and written and not written.startswith(("/", "$")):
        refuse(
            "bind-of-this-machine",
            f"volume `{name}` is `{written}` of this machine, which remote hosts do not have",
            place=notebook.place("volumes", name, "driver_opts", "device"),
            hint="Write an absolute path of the hosts, or leave `driver_opts` out.",
        )


def _kind(name: str, wish: VolumeWish, options: dict[str, str], notebook: Notebook) -> VolumeKind:
    """As declared; else shared where the options name a network file system; else local."""
    declared = VolumeKind(wish.kind) if wish.kind else None
    if declared and wish.shared is not None and (declared is VolumeKind.SHARED) != wish.shared:
        refuse(
            "volume-kind-at-odds",
            f"volume `{name}` is `kind: {wish.kind}` and `shared: {str(wish.shared).lower()}`",
            cause="either each host has its own data, or all have the same",
            place=notebook.place("volumes", name, KEY, "shared"),
            hint="Keep one of the two.",
        )
    if declared:
        return declared
    if wish.shared is not None:
        return VolumeKind.SHARED if wish.shared else VolumeKind.LOCAL
    is_network = options.get("type", "").lower() in _NETWORK_TYPES
    return VolumeKind.SHARED if is_network else VolumeKind.LOCAL
