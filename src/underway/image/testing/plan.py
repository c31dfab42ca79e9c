"""One suite's surroundings, planned: network, volumes, files, and containers in their order. Pure.

Everything is named after the run, so that two runs never meet, and labelled so that what a dead
client left is found. Nothing of it carries the app's own label: no plan of a deploy sees it. A
service is taken as it is deployed, but for what would reach outside: published ports, the proxy,
labels that other programs act on, and data that exists already.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from underway.image.testing.definition import needed_services, waited_for
from underway.model.container import ContainerRequest, NetworkPlace
from underway.model.names import (
    LABEL_ROLE,
    LABEL_RUN,
    LABEL_TEST,
    AppName,
    ContainerName,
    NetworkName,
    ServiceName,
    VolumeName,
)
from underway.model.secret_files import SECRETS_DIRECTORY, secret_files, uploaded_files
from underway.model.snapshot import Role
from underway.model.spec import (
    AppSpec,
    DependencyCondition,
    FileSpec,
    HealthSpec,
    Mount,
    MountKind,
    NetworkSpec,
    ServiceSpec,
    VolumeSpec,
)
from underway.model.testing import SuiteSpec

_RUN_DIGITS: Final = 6
_TRIES_OF_A_NEED: Final = 5


@dataclass(frozen=True, slots=True)
class FilledVolume:
    """A volume of secret files, filled before anything starts."""

    name: str
    image: str
    files: tuple[FileSpec, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A container of a suite. `waits_for` names members of which it needs the condition."""

    service: ServiceName
    request: ContainerRequest
    waits_for: tuple[tuple[ServiceName, DependencyCondition], ...] = ()
    runs_once: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """All that a suite is run with; `needs` in the order of their start."""

    suite: SuiteSpec
    network: NetworkSpec
    volumes: tuple[VolumeSpec, ...]
    filled: tuple[FilledVolume, ...]
    needs: tuple[Member, ...]
    subject: Member
    labels: tuple[tuple[str, str], ...]
    replaced: tuple[str, ...] = ()
    """Paths of the host that are not mounted: a fresh volume stands there."""


def labels_of_run(app: AppName, run: str) -> dict[str, str]:
    """The labels of everything that a run of tests makes."""
    return {LABEL_ROLE: Role.TEST.value, LABEL_TEST: app, LABEL_RUN: run}


def mark_name(app: AppName, run: str) -> ContainerName:
    """The container that stands as long as the client of a run lives."""
    return ContainerName(f"{app}-test-{run[:_RUN_DIGITS]}")


def plan_suite(
    spec: AppSpec, suite: SuiteSpec, image_ids: Mapping[ServiceName, str], run: str
) -> Setting:
    """The setting of a suite; `image_ids` are what the engine finds each service's image by."""
    maker = _Maker(spec, suite, image_ids, f"{mark_name(spec.name, run)}-{suite.name}")
    services = needed_services(spec, suite)
    labels = labels_of_run(spec.name, run)
    needs = tuple(maker.need(service, labels) for service in services)
    subject = maker.subject(labels, is_named=all(s.name != suite.service for s in services))
    everyone = (spec.service(suite.service), *services)
    return Setting(
        suite=suite,
        network=NetworkSpec(NetworkName("test"), maker.prefix, is_internal=not suite.has_internet),
        volumes=maker.volumes(everyone),
        filled=tuple(
            FilledVolume(maker.files_volume(who), image_ids[service.name], files)
            for who, service in (*((s.name, s) for s in services), ("suite", everyone[0]))
            if (files := secret_files(service))
        ),
        needs=needs,
        subject=subject,
        labels=tuple(sorted(labels.items())),
        replaced=tuple(sorted({m.source for s in everyone for m in s.mounts if _is_foreign(m)})),
    )


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes what belongs to one suite, under names that begin with `prefix`."""

    spec: AppSpec
    suite: SuiteSpec
    images: Mapping[ServiceName, str]
    prefix: str

    def need(self, service: ServiceSpec, labels: Mapping[str, str]) -> Member:
        """A service that runs beside the suite."""
        engine = _engine(service, is_need=not service.runs_once)
        aliases = {service.name, *(a for place in service.networks for a in place.aliases)}
        request = ContainerRequest(
            name=ContainerName(f"{self.prefix}-{service.name}"),
            image=self.images[service.name],
            labels=tuple(sorted(labels.items())),
            engine=json.dumps(engine, sort_keys=True),
            environment=service.environment,
            mounts=self._mounts(service, service.name),
            files=uploaded_files(service),
            health=service.health,
            networks=(NetworkPlace(self.prefix, aliases=tuple(sorted(aliases))),),
            extra_hosts=service.extra_hosts,
            stop_grace_s=service.stop_grace_s,
        )
        return Member(service.name, request, tuple(waited_for(service)), service.runs_once)

    def subject(self, labels: Mapping[str, str], *, is_named: bool) -> Member:
        """The container that tests; `is_named` gives it its service's name on the network."""
        suite, service = self.suite, self.spec.service(self.suite.service)
        engine = _engine(service, is_need=False)
        config = engine["Config"]
        if suite.entrypoint:
            config["Entrypoint"] = list(suite.entrypoint)
        if suite.command or suite.entrypoint:
            config.pop("Cmd", None)
        merged = {variable.name: variable for variable in service.environment}
        merged |= {variable.name: variable for variable in suite.environment}
        request = ContainerRequest(
            name=ContainerName(f"{self.prefix}-suite"),
            image=self.images[service.name],
            labels=tuple(sorted(labels.items())),
            engine=json.dumps(engine, sort_keys=True),
            environment=tuple(merged[name] for name in sorted(merged)),
            command=suite.command,
            mounts=self._mounts(service, "suite"),
            files=uploaded_files(service),
            health=HealthSpec(test=("NONE",)),
            networks=(NetworkPlace(self.prefix, aliases=(service.name,) if is_named else ()),),
            extra_hosts=service.extra_hosts,
            stop_grace_s=1,
        )
        return Member(service.name, request, runs_once=True)

    def volumes(self, services: tuple[ServiceSpec, ...]) -> tuple[VolumeSpec, ...]:
        """Fresh volumes of the engine's own, whatever stands behind the app's."""
        names = {
            mount.source
            for service in services
            for mount in service.mounts
            if mount.kind is MountKind.VOLUME and mount.source
        }
        return tuple(VolumeSpec(VolumeName(name), self._volume(name)) for name in sorted(names))

    def files_volume(self, who: str) -> str:
        """The volume of the secret files of one container."""
        return f"{self.prefix}-secrets-{who}"

    def _volume(self, name: str) -> str:
        return f"{self.prefix}-volume-{name}"

    def _mounts(self, service: ServiceSpec, who: str) -> tuple[Mount, ...]:
        mounts = []
        for mount in service.mounts:
            if mount.kind is MountKind.VOLUME and mount.source:
                source = self._volume(mount.source)
                mounts.append(
                    Mount(mount.kind, source, mount.target, mount.read_only, mount.options)
                )
            elif _is_foreign(mount):
                mounts.append(Mount(MountKind.VOLUME, "", mount.target))
            else:
                mounts.append(mount)
        if secret_files(service):
            volume = self.files_volume(who)
            mounts.append(Mount(MountKind.VOLUME, volume, SECRETS_DIRECTORY, read_only=True))
        return tuple(mounts)


def _is_foreign(mount: Mount) -> bool:
    """Whether a test could change something of the host through it."""
    return mount.kind is MountKind.BIND and not mount.read_only


def _engine(service: ServiceSpec, *, is_need: bool) -> dict[str, Any]:
    """The service's words for the engine, without those that only a deploy has a use for.

    A container that is tried again after a failure is not started again with the host.
    """
    engine: dict[str, Any] = json.loads(service.engine)
    engine.setdefault("Config", {})
    host = engine.setdefault("HostConfig", {})
    policy = (host.get("RestartPolicy") or {}).get("Name", "no")
    is_tried_again = is_need and policy not in {"", "no"}
    host["RestartPolicy"] = (
        {"Name": "on-failure", "MaximumRetryCount": _TRIES_OF_A_NEED}
        if is_tried_again
        else {"Name": "no"}
    )
    host.pop("NetworkMode", None)
    for key in ("PidMode", "IpcMode"):
        if str(host.get(key, "")).startswith(("service:", "container:")):
            host.pop(key)
    return engine
