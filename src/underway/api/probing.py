"""Short-lived containers of the tools image that look at hosts, and leave nothing behind.

Every probe carries the app's label and its role, has a name of its own, ends itself after a while,
and is removed by the engine when it ended: a client that was killed needs nobody to tidy up.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from underway.api.inside import LISTENER_PORT, LIVES_S, listen_request, look_request
from underway.api.session import Session
from underway.errors import EngineError, UnderwayError
from underway.image.plan import transfer_lanes
from underway.model.container import ContainerRequest, PublishedPort
from underway.model.event import Level
from underway.model.image import ImageIdentity
from underway.model.look import Trouble
from underway.model.names import LABEL_APP, LABEL_ROLE, LABEL_SINCE, ContainerName, HostName
from underway.model.snapshot import ContainerState, HostState, Role, Snapshot
from underway.model.step import PullImage
from underway.rollout.addresses import PORT_RANGE
from underway.rollout.request import image_reference

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

MOST_AT_ONCE: Final = 16
_PORTS_TRIED: Final = 3
_EXECUTE_S: Final = 30.0


@dataclass(slots=True)
class Probes:
    """The probes of one check. Safe to use from several threads at once; close it in the end."""

    session: Session
    tools: ImageIdentity
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _made: list[tuple[HostName, ContainerName]] = field(default_factory=list)

    def bring_tools(self, snapshot: Snapshot, host: HostName) -> Trouble | None:
        """Bring the tools image to a host that lacks it; tells why it could not be."""
        workshop = self.session.workshop
        try:
            for lane in transfer_lanes({host: (self.tools,)}, snapshot, "probes run in it"):
                for step in lane.steps:
                    fetch = workshop.pull if isinstance(step, PullImage) else workshop.send
                    engine = self.session.world.engine(host)
                    fetch(engine, self.tools, lambda _done, _total, _text: None)
        except UnderwayError as error:
            return trouble_of(error)
        return None

    def look(self, host: HostState, *, sees_processes: bool = False) -> ContainerName:
        """Start a container that waits to be asked; returns its name."""
        name = self.name(host.name, "process" if sees_processes else "look")
        labels = self._labels(host)
        image = image_reference(self.tools)
        self._start(host.name, look_request(name, image, labels, sees_processes=sees_processes))
        return name

    def listen(self, host: HostState, address: str, listening: Iterable[int], token: str) -> int:
        """Start a container that answers with `token` at a free port; returns the port."""
        taken = {*listening, *(port for c in host.containers for _, port in c.published)}
        free = [port for port in reversed(PORT_RANGE) if port not in taken][:_PORTS_TRIED]
        for port in free:
            place = PublishedPort(LISTENER_PORT, address, port)
            name = self.name(host.name, f"listen-{port}")
            labels = self._labels(host)
            image = image_reference(self.tools)
            try:
                self._start(
                    host.name, listen_request(name, image, labels, place=place, token=token)
                )
            except EngineError as error:
                self._remove(host.name, name)
                if error.code != "port-taken" or port == free[-1]:
                    raise
            else:
                return port
        raise EngineError("port-taken", f"{host.name}: no port from 20000 to 29999 is free")

    def ask(self, host: HostName, name: ContainerName, script: str, *arguments: str) -> str:
        """Output of a script in a probe."""
        command = ["bash", "-c", script, "probe", *arguments]
        done = self.session.world.engine(host).execute(name, command, timeout_s=_EXECUTE_S)
        return done.stdout.decode("utf-8", "replace")

    def name(self, host: HostName, kind: str) -> ContainerName:
        """The name of a probe of this check; two hosts may be one engine under two names."""
        run = self.session.voice.run
        return ContainerName(f"underway-probe-{self.session.app}-{run}-{host}-{kind}")

    def sweep(self, hosts: Sequence[HostState]) -> None:
        """Remove what an interrupted check left without its end."""
        for host in hosts:
            for container in host.containers:
                if container.app == self.session.app and is_left(container, host.facts.clock):
                    self._remove(host.name, container.name)

    def close(self) -> None:
        """Remove every probe; never raises: what stays ends itself."""
        with self._guard:
            made, self._made = self._made, []
        if made:
            in_parallel(lambda one: self._remove(*one), made)

    def _start(self, host: HostName, request: ContainerRequest) -> None:
        """Noted ahead of its creation, so that an interruption at any moment finds it."""
        with self._guard:
            self._made.append((host, request.name))
        engine = self.session.world.engine(host)
        engine.create(request, {})
        engine.start(request.name)

    def _remove(self, host: HostName, name: ContainerName) -> None:
        try:
            self.session.world.engine(host).remove(name)
        except UnderwayError as error:
            text = f"{host}: {name} could not be removed, it ends within {LIVES_S} s: {error}"
            self.session.voice.note(Level.WARNING, "probe-left", text)

    def _labels(self, host: HostState) -> Mapping[str, str]:
        return {
            LABEL_APP: self.session.app,
            LABEL_ROLE: Role.PROBE.value,
            LABEL_SINCE: host.facts.clock,
        }


def trouble_of(error: UnderwayError) -> Trouble:
    """Why something could not be seen."""
    text = f"{error.message} ({error.cause})" if error.cause else error.message
    return Trouble(error.code, text, error.hint)


def is_left(container: ContainerState, clock: str) -> bool:
    """Whether a probe does not run, and is older than any by its host's own clock."""
    if container.role != Role.PROBE or not container.has_ended:
        return False
    try:
        since = datetime.fromisoformat(container.label(LABEL_SINCE))
        return (datetime.fromisoformat(clock) - since).total_seconds() > LIVES_S
    except (TypeError, ValueError):
        return True


def in_parallel(work: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
    """The results of `work` over `items`, in their order."""
    if not items:
        return []
    with ThreadPoolExecutor(min(MOST_AT_ONCE, len(items))) as pool:
        return list(pool.map(work, items))
