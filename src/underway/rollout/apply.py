"""Applied effects: each step of the rollout carried out through the ports.

Every step may find its effect standing already (a dead client's work) and then does nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from underway.errors import StepFailedError
from underway.kernel.executor import StepContext, StepResult
from underway.kernel.world import World
from underway.model.image import ImageIdentity
from underway.model.names import LABEL_APP, HostName, RunNumber, ServiceName
from underway.model.release import Release
from underway.model.sensitive import SensitiveValues
from underway.model.snapshot import Role
from underway.model.step import (
    AwaitContainer,
    AwaitDrained,
    AwaitServers,
    ConfirmUpstream,
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    PullImage,
    RecordRelease,
    RemoveContainer,
    RemoveImage,
    RemoveNetwork,
    RemoveProxy,
    RemoveUpstream,
    RemoveVolume,
    RenameContainer,
    RenewProxy,
    SendImage,
    SetCurrent,
    SetRestart,
    SetUpstream,
    StartContainer,
    Step,
    StopContainer,
    Watch,
    WriteFiles,
    WriteVault,
)
from underway.ports import Clock, Engine, Progress
from underway.rollout.edge import retired_proxy
from underway.rollout.gates import Gates
from underway.rollout.refused import Refused

Fetch = Callable[[Engine, ImageIdentity, Progress], None]
"""Brings an image onto an engine and verifies it; IntegrityError if it is another one."""

DONE = StepResult()


@dataclass(frozen=True, slots=True)
class Applier:
    """Applies the steps of one plan.

    `release` is the plan's, `values` its sensitive values, `key` the app's digest key, `run`
    fences the edges against older runs. `others` are the values of hosts that keep another release.
    """

    world: World
    release: Release | None
    values: SensitiveValues
    key: bytes
    run: RunNumber
    clock: Clock
    pull: Fetch
    send: Fetch
    refused: Refused = field(default_factory=Refused)
    others: Mapping[HostName, SensitiveValues] = field(default_factory=dict)

    def __call__(self, step: Step, context: StepContext) -> StepResult:
        """Apply one step; raises the errors of the ports."""
        step = self.refused.adapted(step)
        match step:
            case AwaitContainer() | AwaitServers() | ConfirmUpstream() | AwaitDrained() | Watch():
                try:
                    return Gates(self.world, self.clock)(step, context)
                except StepFailedError:
                    self.refused.note(step)
                    raise
            case SetUpstream() | RemoveUpstream():
                self._traffic(step)
            case PullImage(host=host, image=image):
                self.pull(self.world.engine(host), image, context.progress)
            case SendImage(host=host, image=image):
                self.send(self.world.engine(host), image, context.progress)
            case WriteVault() | RecordRelease() | SetCurrent():
                self._record(step)
            case StopContainer():
                self._stop(step)
            case RenameContainer() | SetRestart():
                self._change(step)
            case RemoveProxy() | RenewProxy():
                return self._proxy(step)
            case _:
                self._engine(step)
        return DONE

    def _traffic(self, step: SetUpstream | RemoveUpstream) -> None:
        proxy = self.world.proxy(step.host)
        match step:
            case SetUpstream(upstream=upstream):
                proxy.apply(upstream, self.run)
            case RemoveUpstream(app=app, service=service):
                proxy.remove(app, service if service != ServiceName("") else None, self.run)
            case _:
                assert_never(step)

    def _record(self, step: WriteVault | RecordRelease | SetCurrent) -> None:
        match step:
            case WriteVault(host=host, release=number):
                self.world.vault(host).write(number, self.values, self.key)
            case RecordRelease(host=host):
                if self.release is not None:
                    self.world.ledger(host).record_release(self.release)
            case SetCurrent(host=host, release=number, bindings=bindings):
                ledger = self.world.ledger(host)
                ledger.set_current(number, bindings, step.adjustments, step.limit)
            case _:
                assert_never(step)

    def _stop(self, step: StopContainer) -> None:
        engine = self._at(step.host)
        if step.container != step.retired and engine.container(step.container) is not None:
            engine.rename(step.container, step.retired)
            if engine.container(step.container) is not None:
                # Docker cannot rename a container that waits for its next restart: end it first.
                engine.stop(step.container, step.grace_s)
                engine.rename(step.container, step.retired)
        engine.stop(step.retired, step.grace_s)

    def _change(self, step: RenameContainer | SetRestart) -> None:
        engine = self._at(step.host)
        match step:
            case RenameContainer(container=name, name=new_name):
                engine.rename(name, new_name)
            case SetRestart(container=name, restart=restart):
                engine.set_restart(name, restart)
            case _:
                assert_never(step)

    def _proxy(self, step: RemoveProxy | RenewProxy) -> StepResult:
        match step:
            case RemoveProxy():
                return self._remove_proxy(step)
            case RenewProxy():
                return self._renew_proxy(step)
            case _:
                assert_never(step)

    def _remove_proxy(self, step: RemoveProxy) -> StepResult:
        if not self.world.proxy(step.host).retire():
            return StepResult(text="it stays: another app uses it")
        engine = self._at(step.host)
        engine.remove(step.container)
        for container in engine.containers():
            if container.role == Role.EDGE:
                engine.remove(container.name)
        engine.remove_volume(step.volume)
        return DONE

    def _renew_proxy(self, step: RenewProxy) -> StepResult:
        engine, proxy = self._at(step.host), self.world.proxy(step.host)
        proxy.succeed()
        # Another run may end the same succession: who is looked at first cannot be the new one.
        former = engine.container(step.container)
        state = proxy.state()
        if state is None or state.container == step.container:
            return DONE
        if former is not None:
            retired = retired_proxy(former.id)
            if (engine.container(former.id) or former).name == step.container:
                engine.rename(former.id, retired)
        engine.rename(step.successor, step.container)
        return DONE

    def _engine(
        self,
        step: CreateContainer
        | StartContainer
        | RemoveContainer
        | WriteFiles
        | CreateNetwork
        | RemoveNetwork
        | CreateVolume
        | RemoveVolume
        | RemoveImage,
    ) -> None:
        engine = self._at(step.host)
        values = self.others.get(step.host, self.values)
        match step:
            case CreateContainer(container=request):
                engine.create(request, values)
            case StartContainer(container=name):
                engine.start(name)
            case RemoveContainer(container=name):
                engine.remove(name)
            case WriteFiles(volume=volume, image=image, files=files, labels=labels):
                engine.write_files(volume, image, files, values, dict(labels))
            case CreateNetwork(network=network):
                engine.create_network(network, {LABEL_APP: self.world.app})
            case RemoveNetwork(network=name):
                engine.remove_network(name)
            case CreateVolume(volume=spec):
                engine.create_volume(spec, {LABEL_APP: self.world.app})
            case RemoveVolume(volume=name):
                engine.remove_volume(name)
            case RemoveImage(image=name):
                engine.remove_image(name)
            case _:
                assert_never(step)

    def _at(self, host: HostName) -> Engine:
        return self.world.engine(host)
