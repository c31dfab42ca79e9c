"""Filling new volumes from a restore point: what restoring and verifying have in common."""

import functools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Final

from underway.api.backing_up import Ground, desk_of
from underway.api.session import Session
from underway.api.shipping import Cargo, recorded
from underway.api.step_telling import StepTeller
from underway.backup.presets import PRESETS
from underway.backup.restore_apply import RestoreApplier, new_volume, restore_server_name
from underway.backup.restore_plan import RestorePlan
from underway.backup.steps import RestoreVolume
from underway.errors import UnderwayError
from underway.model.container import ContainerRequest
from underway.model.event import Level, PlanMade
from underway.model.names import (
    LABEL_APP,
    LABEL_ROLE,
    LABEL_SERVICE,
    Generation,
    HostName,
    ServiceName,
)
from underway.model.release import Binding
from underway.model.restore_point import Manifest
from underway.model.secret_files import secret_files
from underway.model.snapshot import Role
from underway.model.spec import HealthSpec
from underway.ports.backup import BackupStore, Workplace
from underway.rollout.addresses import Location
from underway.rollout.naming import files_volume, own_labels
from underway.rollout.request import image_reference, replica_request
from underway.rollout.scene import Replica

_GENERATION = Generation("restore")
_WAITING: Final = "trap 'exit 0' TERM; while :; do sleep 1; done"
"""In place of a server whose data is put where it looks before it starts."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A restore that was planned and not begun: show what it gives up, and ask."""

    manifest: Manifest
    plan: RestorePlan
    ground: Ground
    beside: str = ""


def fill(
    session: Session,
    intent: Intent,
    check: Callable[[HostName | None], None],
    *,
    checks: bool = False,
) -> None:
    """Make the volumes of a plan and fill them; `checks` has databases look at all of it.

    `check` raises where the lock was lost. Raises StepFailedError and IntegrityError.
    """
    plan, release = intent.plan, intent.ground.release
    cargo = recorded(session, intent.ground.snapshot, release.number)
    session.voice.say(PlanMade(f"{session.app} gets its data back", ("Restore",), len(plan.steps)))
    make_volumes(session, intent.manifest, plan)
    servers = _Servers(session, cargo, intent)
    with _opened(session, plan) as stores:
        applier = RestoreApplier(
            policy=desk_of(session).policy,
            stores=stores,
            engines=session.world.engines,
            clock=session.clock,
            make_server=servers.request,
            start_server=servers.start,
            checks=checks,
        )
        try:
            _walk(session, plan, applier, check)
        finally:
            servers.tidy()


def make_volumes(session: Session, manifest: Manifest, plan: RestorePlan) -> None:
    """Make the empty volumes of a plan; those that are there already are left alone."""
    back = {binding.volume: binding.physical for binding in plan.bindings_back}
    for step in plan.steps:
        volume, labels = new_volume(
            session.app, step, manifest.point, back.get(step.copy.volume, "")
        )
        session.world.engine(step.host).create_volume(volume, labels)


def _walk(
    session: Session,
    plan: RestorePlan,
    applier: RestoreApplier,
    check: Callable[[HostName | None], None],
) -> None:
    teller = StepTeller(session)
    for step in plan.steps:
        check(step.host)
        teller.tell(
            type(step).__name__,
            f"{step.copy.volume} into {step.physical}",
            functools.partial(applier, step),
            host=step.host,
            cause=step.cause,
        )


@contextmanager
def _opened(session: Session, plan: RestorePlan) -> Iterator[dict[HostName, BackupStore]]:
    desk = desk_of(session)
    with ExitStack() as stack:
        stores = {}
        for host in plan.hosts:
            here = [step for step in plan.steps if step.host == host]
            volumes = tuple((str(s.copy.volume), s.physical) for s in here if not s.service)
            commands = any(step.service for step in here)
            place = Workplace(host, volumes, is_writable=True, may_command=commands)
            stores[host] = stack.enter_context(desk.open_store(place))
            stores[host].open()
        yield stores


@dataclass(frozen=True, slots=True)
class _Servers:
    """Fresh containers of a service, on new volumes, apart from all networks."""

    session: Session
    cargo: Cargo
    intent: Intent

    def request(self, step: RestoreVolume) -> ContainerRequest:
        """The container: the release's own image, settings and secrets, and the new volume."""
        release = self.cargo.release
        service = release.spec.service(step.service)
        name = restore_server_name(self.session.app, step)
        bindings = {**self.intent.ground.bindings, step.copy.volume: step.physical}
        replica = Replica(step.service, 1, step.host, name, _GENERATION)
        made = replica_request(
            release, service, replica, location=Location(), names=(), bindings=bindings
        )
        engine = json.loads(made.engine)
        engine.setdefault("HostConfig", {})["RestartPolicy"] = {"Name": "no"}
        preset = PRESETS.get(step.copy.preset)
        if preset is not None and preset.is_idle:
            engine.setdefault("Config", {})["Entrypoint"] = ["sh"]
            made = replace(made, command=("-c", _WAITING))
        labels = {LABEL_APP: self.session.app, LABEL_ROLE: Role.RESTORE.value}
        return replace(
            made,
            engine=json.dumps(engine, sort_keys=True),
            labels=tuple(sorted({**labels, LABEL_SERVICE: step.service}.items())),
            health=HealthSpec(test=("NONE",)),
            extra_hosts=(),
            network_mode="none",
        )

    def start(self, host: HostName, request: ContainerRequest) -> None:
        """Write its secrets where it looks for them, and start it."""
        engine = self.session.world.engine(host)
        name = ServiceName(request.label(LABEL_SERVICE))
        service = self.cargo.release.spec.service(name)
        files = secret_files(service)
        if files:
            image = image_reference(self.cargo.release.image_of(service.name))
            volume = files_volume(self.session.app, service.name, _GENERATION)
            labels = dict(own_labels(self.session.app, Role.FILES))
            engine.write_files(volume, image, files, self.cargo.values, labels)
        engine.create(request, self.cargo.values)
        engine.start(request.name)

    def tidy(self) -> None:
        """Remove the secrets again."""
        for step in self.intent.plan.steps:
            if step.service:
                volume = files_volume(self.session.app, step.service, _GENERATION)
                self.session.world.engine(step.host).remove_volume(volume)


def discard(session: Session, intent: Intent) -> None:
    """Remove volumes that nothing stands on: those that were begun, where the old ones serve."""
    bound: set[Binding] = set()
    try:
        for host in session.observe().reachable:
            bound |= set(host.ledger.bindings if host.ledger else ())
            used = {volume for container in host.containers for volume in container.volumes}
            for step in intent.plan.steps:
                is_bound = Binding(step.copy.volume, step.physical) in bound
                if step.host == host.name and not is_bound and step.physical not in used:
                    session.world.engine(host.name).remove_volume(step.physical)
    except UnderwayError as error:
        text = f"a volume that was begun may be left: {error.message}"
        session.voice.note(Level.WARNING, "backup-volume-left", text)
