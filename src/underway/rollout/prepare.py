"""What must stand on hosts before a replica can: images, networks, volumes, anchor, proxy, records.

Nothing here touches what serves.
"""

from dataclasses import dataclass, replace

from underway.errors import RefusedError
from underway.model.names import (
    LABEL_APP,
    NO_RELEASE,
    HostName,
    NetworkName,
    VolumeName,
)
from underway.model.plan import Lane, Stage
from underway.model.release import Binding, Limit
from underway.model.snapshot import HostState, Role
from underway.model.spec import MountKind, NetworkSpec, ServiceSpec, VolumeKind, VolumeSpec
from underway.model.step import (
    CreateNetwork,
    CreateVolume,
    RecordRelease,
    RemoveContainer,
    SetCurrent,
    Step,
    WriteVault,
)
from underway.rollout.addresses import Allocator
from underway.rollout.naming import ledger_volume, own_labels, vault_volume
from underway.rollout.placing import placed
from underway.rollout.proxies import Proxies
from underway.rollout.request import anchor_request
from underway.rollout.scene import Scene
from underway.rollout.stages import in_lanes, in_parallel
from underway.rollout.standing import standing


def services_on(scene: Scene, host: HostName) -> tuple[ServiceSpec, ...]:
    """The services that have a replica on `host`."""
    return tuple(
        scene.service_on(host, service)
        for service in scene.spec.services
        if any(where == host for _, where in placed(service, scene.policy.skip_hosts))
    )


@dataclass(frozen=True, slots=True)
class Preparation:
    """Plans the preparation of every host of a release.

    `transfer` are the lanes that bring images to hosts; the image slice plans them.
    """

    scene: Scene
    allocator: Allocator
    transfer: tuple[Lane, ...] = ()

    def stages(self) -> list[Stage]:
        """Images first, verified everywhere; then networks, volumes, anchor, records, proxy."""
        is_returned = bool(self.scene.policy.adopts) and not self.scene.takes_over
        proxies = [] if is_returned else Proxies(self.scene, self.allocator).stages()
        return [*self.records(), *proxies]

    def awakening(self) -> list[Stage]:
        """Bring up proxies that could not be asked; [] where all could.

        No traffic may be planned from their silence: they come back with the files they had.
        """
        unknown = self.scene.unknown_edges
        if not unknown:
            return []
        return [
            *in_parallel("Ship images", (lane.steps for lane in self.transfer)),
            *in_lanes("Proxies", [s for h in unknown for s in Proxies(self.scene).steps(h)]),
        ]

    def records(self) -> list[Stage]:
        """What recording a release takes: nothing of it touches what serves."""
        hosts = [state for h in self.scene.hosts if (state := self.scene.host(h.name))]
        return [
            *in_parallel("Ship images", (lane.steps for lane in self.transfer)),
            *in_lanes("Networks and volumes", [s for h in hosts for s in self._ground(h)]),
            *self._anchors(hosts),
            *in_lanes("Records", [s for h in hosts for s in self._records(h)]),
        ]

    def _volumes(self, host: HostState) -> list[VolumeSpec]:
        wanted = {
            mount.source
            for service in services_on(self.scene, host.name)
            for mount in service.mounts
            if mount.kind is MountKind.VOLUME and mount.source
        }
        bindings = self.scene.bindings()
        return [
            VolumeSpec(
                volume.name,
                bindings[volume.name],
                volume.kind,
                volume.driver,
                volume.driver_opts,
                (*volume.labels, (LABEL_APP, self.scene.app)),
                volume.is_external,
            )
            for volume in self.scene.spec.volumes
            if volume.name in wanted
        ]

    def _networks(self, host: HostState) -> list[NetworkSpec]:
        wanted: set[NetworkName] = {
            place.network
            for service in services_on(self.scene, host.name)
            for place in service.networks
        }
        return [network for network in self.scene.spec.networks if network.name in wanted]

    def _ground(self, host: HostState) -> list[Step]:
        steps: list[Step] = []
        present = {network.name for network in host.networks}
        for network in self._networks(host):
            if network.physical in present:
                continue
            if network.is_external:
                raise RefusedError(
                    "external-missing",
                    f"external network {network.physical} does not exist on {host.name}",
                    hint=f"create it there: docker network create {network.physical}",
                )
            made = replace(
                network,
                labels=(*network.labels, (LABEL_APP, self.scene.app)),
                subnet=self.allocator.subnet(host, network),
            )
            steps.append(CreateNetwork(host.name, made, "the app's services meet here"))
        held = {volume.name for volume in host.volumes}
        for volume in (*self._own_volumes(), *self._volumes(host)):
            if volume.physical in held:
                continue
            if volume.is_external:
                raise RefusedError(
                    "external-missing",
                    f"external volume {volume.physical} does not exist on {host.name}",
                    hint=f"create it there: docker volume create {volume.physical}",
                )
            steps.append(CreateVolume(host.name, volume, "not there yet"))
        return steps

    def _own_volumes(self) -> list[VolumeSpec]:
        app = self.scene.app
        labels = own_labels(app, Role.ANCHOR)
        return [
            VolumeSpec(VolumeName(name), name, VolumeKind.PER_HOST, labels=labels)
            for name in (ledger_volume(app), vault_volume(app))
        ]

    def _anchors(self, hosts: list[HostState]) -> list[Stage]:
        """Anchors that are made anew go one host ahead: at any moment the records can be read."""
        lanes = [self._anchor(host) for host in hosts]
        anew = [lane for lane in lanes if lane and isinstance(lane[0], RemoveContainer)]
        return [
            *in_parallel("Anchors", [lane for lane in lanes if lane not in anew[1:]]),
            *in_parallel("More anchors", anew[1:]),
        ]

    def _anchor(self, host: HostState) -> list[Step]:
        if self.scene.release.number == NO_RELEASE:
            return []
        kept = tuple(sorted(volume.physical for volume in self._volumes(host)))
        request = anchor_request(self.scene.app, self.scene.policy.tools, kept)
        return standing(host, request, "holds the app's records on this host")

    def _records(self, host: HostState) -> list[Step]:
        release = self.scene.release
        steps: list[Step] = []
        if release.number == NO_RELEASE:
            return steps
        known = {entry.number for entry in host.ledger.releases} if host.ledger else set()
        is_recorded = release.number in known
        # Values without their record are those of a run that died between: another release's.
        if release.sensitive and not (is_recorded and release.number in host.vault):
            cause = f"release {release.number} can be brought back from any machine"
            steps.append(WriteVault(host.name, release.number, cause))
        if not is_recorded:
            steps.append(RecordRelease(host.name, release.number, "recorded before it runs"))
        return steps

    def current(self) -> list[Stage]:
        """The stage that records the release as the one the app runs."""
        bindings = tuple(
            Binding(volume, physical) for volume, physical in sorted(self.scene.bindings().items())
        )
        asked = tuple(sorted(self.scene.adjustments.values()))
        number, beside = self.scene.release.number, self.scene.beside
        limit = Limit(tuple(sorted(beside.hosts)), beside.release.number) if beside else None
        cause = f"release {number} takes all traffic" if number else "nothing runs any more"
        return in_lanes(
            "Record what runs",
            (
                SetCurrent(host.name, number, bindings, cause, asked, limit)
                for spec in self.scene.hosts
                if (host := self.scene.host(spec.name))
                and (
                    (host.ledger is None and number)
                    or (host.ledger and host.ledger.current != number)
                    or (host.ledger and number and _sorted(host.ledger.bindings) != bindings)
                    or (host.ledger and number and host.ledger.adjustments != asked)
                    or (host.ledger and number and host.ledger.limit != limit)
                )
            ),
        )


def _sorted(bindings: tuple[Binding, ...]) -> tuple[Binding, ...]:
    return tuple(sorted(bindings))
