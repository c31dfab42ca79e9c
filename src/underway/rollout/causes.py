"""Why replicas are made and ended: one cause for each, in words a user knows from the file."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from underway.model.change import Difference, ServiceChange
from underway.model.names import NO_RELEASE, ReleaseNumber, ServiceName
from underway.model.release import Release
from underway.model.spec import ServiceSpec
from underway.rollout.adjustments import adjusted, adjustments_of
from underway.rollout.cast import Cast
from underway.rollout.differences import differences
from underway.rollout.placing import placed
from underway.rollout.scene import Held, Replica, Scene

_TOLD: Final = 3
"""How many differences a cause names: `plan --json` has them all."""


def serving(scene: Scene) -> Release | None:
    """The recorded release that the app runs, as its hosts say."""
    current = {ledger.current for ledger in scene.ledgers()}
    first = next(iter(scene.recorded_releases()), None)
    return first if first and first.number in current else None


def departure_cause(scene: Scene, name: ServiceName) -> str:
    """Why a service that the release does not have goes."""
    if scene.policy.is_undo:
        return "it is taken back: it did not run before"
    if scene.release.number == NO_RELEASE:
        return "the app is removed"
    return f"release {scene.release.number} has no service {name}"


@dataclass(frozen=True, slots=True)
class Causes:
    """Why replicas of one service are made and ended.

    `base` is the release they are compared with: the one that serves.
    """

    scene: Scene
    cast: Cast
    base: Release | None
    found: tuple[Difference, ...]

    @classmethod
    def of(cls, scene: Scene, cast: Cast) -> "Causes":
        """Compare the service with what serves."""
        base = serving(scene)
        if base:
            was = adjustments_of(base.spec, scene.recorded_adjustments(), ())
            base = adjusted(base, was)
        found: tuple[Difference, ...] = ()
        if base and _service(base, cast.service.name):
            found = differences(base, scene.release, cast.service.name)
        return cls(scene, cast, base, found)

    @property
    def number(self) -> ReleaseNumber:
        """The release that is brought."""
        return self.scene.release.number

    def making(self, replica: Replica) -> str:
        """Why a replica that is not there is made."""
        if any((h.host, h.state.replica) == (replica.host, replica.index) for h in self.unwell):
            return f"replica {replica.index} is unwell"
        if self.scene.policy.is_undo:
            return f"release {self.number} comes back"
        if self.base is None:
            return f"release {self.number} is the first"
        before = _service(self.base, self.cast.service.name)
        if before is None:
            return f"new in release {self.number}"
        if self.found:
            return told(self.found)
        return self._moved_data or self._so_far(replica) or self._unchanged(before, replica)

    @property
    def unwell(self) -> tuple[Held, ...]:
        """Old replicas that go because they are unwell."""
        return self.cast.unwell

    @property
    def _moved_data(self) -> str:
        """Which of its volumes get another physical one behind them; "" where none does."""
        swung = {binding.volume for binding in self.scene.policy.bindings}
        mine = sorted({m.source for m in self.cast.service.mounts if m.source in swung})
        return f"volume {', '.join(mine)} has other data behind it" if mine else ""

    def _so_far(self, replica: Replica) -> str:
        """That its host had another release on purpose until now; "" where it had not."""
        limits = [ledger.limit for ledger in self.scene.ledgers() if ledger.limit]
        if not limits or self.scene.beside or replica.host in limits[0].hosts:
            return ""
        return f"{replica.host} kept release {limits[0].others} on purpose so far"

    def _unchanged(self, before: ServiceSpec, replica: Replica) -> str:
        """Why one more replica of a configuration that serves already is made."""
        service, skipped = self.cast.service, self.scene.policy.skip_hosts
        if service.name in self.scene.policy.recreate:
            return "replaced as asked"
        if any(entry.service == service.name for entry in self.scene.policy.adjustments):
            return self._asked()
        shall = {index for index, _ in placed(service, frozenset())}
        if replica.index not in shall:
            return f"{', '.join(sorted(skipped))} is left out: others take over its replicas"
        had = dict(placed(before, frozenset()))
        if replica.index not in had:
            return f"{len(shall)} replicas are wished, not {len(had)}"
        if had[replica.index] != replica.host:
            return f"placed on {replica.host} now, not on {had[replica.index]}"
        return "it is missing"

    def ending(self, held: Held) -> str:
        """Why an old replica goes."""
        if held in self.unwell:
            return "it is unwell"
        if held.is_adopted:
            return f"release {self.number} takes over from it"
        if self.cast.service.name in self.scene.stopped:
            return "stopped on purpose"
        return self._ending(held)

    def _ending(self, held: Held) -> str:
        if any(held.state.generation == replica.generation for replica in self.cast.wished):
            return self._surplus(held)
        if self.scene.policy.is_undo:
            return f"release {held.state.release} is taken back"
        if self.base and self.base.number == self.number:
            if self.cast.service.name in self.scene.policy.recreate:
                return "replaced as asked"
            return self._moved_data or f"not of release {self.number}, which the app runs"
        return f"replaced by release {self.number}"

    def _asked(self) -> str:
        """Why more replicas are made than before, where it was asked for beside the release."""
        entry = self.scene.adjustments.get(self.cast.service.name)
        return f"scaled to {entry.replicas}" if entry and entry.replicas else "started as asked"

    def _surplus(self, held: Held) -> str:
        if held.host not in self.cast.service.hosts:
            return f"not placed on {held.host} any more"
        return f"only {len(self.cast.wished)} wished"

    def change(self) -> ServiceChange | None:
        """What happens to the service's replicas; None where none is made and none ends."""
        standing = {
            (held.host, held.name) for held in self.scene.replicas_of(self.cast.service.name)
        }
        makes = [r for r in self.cast.todo if (r.host, r.name) not in standing]
        if makes:
            cause = self.making(makes[0])
        elif self.cast.old:
            cause = self.ending(self.cast.old[0])
        else:
            return None
        since = self.base.number if self.base else NO_RELEASE
        return ServiceChange(self.cast.service.name, cause, since, self.found)


def told(found: Iterable[Difference]) -> str:
    """`image changed, environment DATABASE_URL added and 2 more`."""
    texts = [str(difference) for difference in found]
    more = f" and {len(texts) - _TOLD} more" if len(texts) > _TOLD else ""
    return ", ".join(texts[:_TOLD]) + more


def _service(release: Release, name: ServiceName) -> ServiceSpec | None:
    return next((s for s in release.spec.services if s.name == name), None)
