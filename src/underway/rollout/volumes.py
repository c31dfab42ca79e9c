"""Volumes that the file names anew: refused, as neither way of understanding it is safe.

The recorded binding says where the data is, and a release never moves data. Going by the file the
service would start without it; going by the record the file would be wrong without a word.
"""

from underway.errors import RefusedError
from underway.model.spec import MountKind, VolumeSpec
from underway.rollout.scene import Scene


def check_volumes(scene: Scene) -> None:
    """Raise RefusedError where the file gives a volume another name than the current release.

    Going back is never refused: the data stays where it is.
    """
    if scene.policy.is_undo or not scene.policy.runs_before:
        return
    current = {ledger.current for ledger in scene.ledgers()}
    before = next((r for r in scene.recorded_releases() if r.number in current), None)
    if before is None:
        return
    named = {volume.name: volume.physical for volume in before.spec.volumes}
    bound = scene.bindings()
    for volume in scene.spec.volumes:
        old = named.get(volume.name, volume.physical)
        if volume.physical not in {old, bound[volume.name]}:
            raise RefusedError(
                "volume-renamed",
                f"the file names volume {volume.name} {volume.physical}; the data of "
                f"{scene.app} is in {bound[volume.name]}",
                cause="deploying moves no data, and a service must not start without its own",
                hint=f"keep `name: {old}`; or, for another volume, add it under a key of its own "
                "in `volumes:` and mount that",
                place=_place(scene, volume),
            )


def _place(scene: Scene, volume: VolumeSpec) -> str:
    """Where the first service that mounts it stands in the file."""
    for service in scene.spec.services:
        if any(m.kind is MountKind.VOLUME and m.source == volume.name for m in service.mounts):
            return service.place
    return ""
