"""Commands in containers: in a replica that runs, or once in a container of their own.

Neither changes what runs, and neither takes the app's lock: a shell that is left open holds up no
deploy.
"""

import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from underway.api.moments import rfc3339
from underway.api.replicas import (
    Choice,
    chosen_replica,
    require_host,
    service_named,
    serving_scene,
)
from underway.api.session import Session
from underway.api.shipping import Cargo, recorded
from underway.errors import BugError, RefusedError, UnderwayError, UsageError
from underway.model.names import HostName, ServiceName
from underway.model.secret_files import secret_files
from underway.model.snapshot import Role
from underway.model.spec import ServiceSpec
from underway.ports.conversation import CommandDesk, CommandWish, Conversation, Size
from underway.rollout.cast import cast_of
from underway.rollout.generation import generation_of
from underway.rollout.naming import files_volume, own_labels
from underway.rollout.one_off import (
    OneOff,
    leash_name,
    one_off_labels,
    one_off_name,
    one_off_request,
)
from underway.rollout.request import image_reference
from underway.rollout.scene import Replica, Scene

_MARK_BYTES: Final = 3


@dataclass(frozen=True, slots=True)
class Streams:
    """Where a command's input comes from and its output goes. `read` gives b"" at the end.

    `watch_size` is called once with what is to be told a terminal's size, now and whenever it
    changes.
    """

    read: Callable[[], bytes] = lambda: b""
    write: Callable[[bytes], None] = lambda _: None
    write_error: Callable[[bytes], None] = lambda _: None
    watch_size: Callable[[Callable[[Size], None]], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class RunWish:
    """A one-off command: `host` None is the first of the service's hosts that answers.

    The wish's command () is the service's own; `entrypoint` () too.
    """

    service: ServiceName
    wish: CommandWish
    host: HostName | None = None
    entrypoint: tuple[str, ...] = ()


def execute(session: Session, choice: Choice, wish: CommandWish, streams: Streams) -> int:
    """Run a command in a running replica; returns its exit status.

    Raises what `chosen_replica` raises, and EngineError or UnreachableError.
    """
    held = chosen_replica(session, choice)
    conversation = _desk(session).converse(held.host, held.name, wish)
    return _talked(conversation, streams)


def run_once(session: Session, wanted: RunWish, streams: Streams) -> int:
    """Run a command once, as the service is configured in the current release; its exit status.

    The container is gone afterwards, whatever ends the command or its client. Raises UsageError,
    RefusedError, EngineError, UnreachableError, IntegrityError.
    """
    snapshot = session.observe()
    scene = serving_scene(snapshot)
    service = service_named(scene.release, wanted.service)
    require_host(session, scene, wanted.host)
    host = _host_of(scene, service, wanted.host)
    service = scene.service_on(host, service)
    cargo = recorded(session, snapshot, scene.release_on(host).number)
    what = _one_off(session, scene, service, host, wanted)
    request = one_off_request(cargo.release, service, what, bindings=scene.bindings())
    engine, desk = session.world.engine(host), _desk(session)
    leash = leash_name(request.name)
    with desk.leash(host, leash, one_off_labels(cargo.release, what, Role.LEASH)):
        _bring_files(session, scene, cargo, what.replica)
        try:
            engine.create(request, cargo.values)
            conversation = desk.attach(host, request.name, wanted.wish.has_tty)
            engine.start(request.name)
            return _talked(conversation, streams)
        except BaseException:
            with suppress(UnderwayError):  # without its client it ends with its leash
                engine.stop(request.name, service.stop_grace_s)
            raise
        finally:
            with suppress(UnderwayError):
                engine.remove(request.name)


def _host_of(scene: Scene, service: ServiceSpec, wished: HostName | None) -> HostName:
    if wished and wished not in service.hosts:
        raise UsageError(
            "host-not-placed",
            f"{service.name} does not stand on {wished}",
            cause="its image, networks and volumes are on its own hosts",
            hint=f"choose one of {', '.join(service.hosts)}",
        )
    if wished:
        return wished
    for name in service.hosts:
        if scene.host(name) is not None:
            return name
    raise RefusedError(
        "service-hosts-silent",
        f"no host of {service.name} answers: {', '.join(service.hosts)}",
        hint="bring one back, or name another one with --host",
    )


def _one_off(
    session: Session, scene: Scene, service: ServiceSpec, host: HostName, wanted: RunWish
) -> OneOff:
    release = scene.release_on(host)
    wished = [r for r in cast_of(scene, service).wished if scene.release_on(r.host) is release]
    generation = (
        wished[0].generation
        if wished
        else generation_of(release, service, bindings=scene.bindings(), counter=0)
    )
    name = one_off_name(scene.app, service.name, secrets.token_hex(_MARK_BYTES))
    replica = Replica(service.name, 0, host, name, generation)
    since = rfc3339(session.clock.now())
    return OneOff(replica, wanted.wish, session.voice.actor, since, wanted.entrypoint)


def _bring_files(session: Session, scene: Scene, cargo: Cargo, replica: Replica) -> None:
    """Its secret files: the volume that replicas of this generation use, made where none is."""
    service = scene.service_on(replica.host, scene.spec.service(replica.service))
    files = secret_files(service)
    seen = scene.host(replica.host)
    volume = files_volume(scene.app, service.name, replica.generation)
    if not files or seen is None or any(found.name == volume for found in seen.volumes):
        return
    image = image_reference(cargo.release.image_of(service.name))
    labels = dict(own_labels(scene.app, Role.FILES))
    session.world.engine(replica.host).write_files(volume, image, files, cargo.values, labels)


def _talked(conversation: Conversation, streams: Streams) -> int:
    """Pass bytes both ways until the command writes no more; its exit status."""
    try:
        streams.watch_size(conversation.resize)
        threading.Thread(target=_feed, args=(conversation, streams), daemon=True).start()
        while piece := conversation.receive():
            (streams.write_error if piece.is_stderr else streams.write)(piece.data)
        return conversation.exit_code()
    finally:
        conversation.close()


def _feed(conversation: Conversation, streams: Streams) -> None:
    """A command may end without reading all of its input: that is its own business."""
    with suppress(UnderwayError, OSError, ValueError):
        while data := streams.read():
            conversation.send(data)
        conversation.end_input()


def _desk(session: Session) -> CommandDesk:
    if session.commands is None:
        raise BugError("bug", "this session runs no commands in containers")
    return session.commands
