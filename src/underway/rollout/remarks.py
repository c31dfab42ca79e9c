"""What a plan says beside its steps: what stays as it is, and why."""

from collections.abc import Iterator

from underway.rollout.adjustments import told
from underway.rollout.scene import Scene


def remarks(scene: Scene) -> Iterator[str]:
    """What the hosts that are asked for and left out, and what is asked beside releases, mean."""
    yield from _limited(scene)
    yield from _spread(scene)
    yield from _adjusted(scene)


def _spread(scene: Scene) -> Iterator[str]:
    """What leaving hosts out means for the services that stand on them."""
    for name in sorted(scene.policy.skip_hosts):
        moved = [s.name for s in scene.spec.services if name in s.hosts and not s.is_global]
        shared = [n for n in moved if set(scene.spec.service(n).hosts) - scene.policy.skip_hosts]
        spread = f"; its replicas of {', '.join(shared)} are made on other hosts" if shared else ""
        yield f"{name} is left out: what runs there is not touched{spread}"
        if lone := sorted(set(moved) - set(shared)):
            yield f"{', '.join(lone)} stands only on hosts that are left out: nothing replaces it"


def _limited(scene: Scene) -> Iterator[str]:
    """What stays as it is on purpose."""
    number = scene.release.number
    if scene.beside and not scene.policy.is_undo:
        some = ", ".join(sorted(scene.beside.hosts))
        others = [h.name for h in scene.hosts if h.name not in scene.beside.hosts]
        yield (
            f"release {number} comes to {some} alone; {', '.join(others)} keeps release "
            f"{scene.beside.release.number} (underway deploy {number} completes it)"
        )


def _adjusted(scene: Scene) -> Iterator[str]:
    if scene.release.number:
        yield from told(scene.said.spec, scene.recorded_adjustments(), scene.adjustments)
