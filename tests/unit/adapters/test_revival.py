"""An anchor that is gone or stopped is made to run again where its records are."""

import threading
from typing import Final

from tests.fakes.engine import FakeEngine
from underway.adapters.revival import revive_anchor
from underway.errors import EngineError
from underway.model.container import ContainerRequest
from underway.model.image import ImageIdentity
from underway.model.names import AppName, ContainerName, HostName, VolumeName
from underway.model.snapshot import ContainerStatus, Role
from underway.model.spec import VolumeKind, VolumeSpec
from underway.rollout.naming import anchor_name, ledger_volume, own_labels, vault_volume
from underway.rollout.request import anchor_request

APP: Final = AppName("libra")
LABELS: Final = (("underway.tools", "0123456789ab"),)


def host_with_records(*, has_tools: bool = True) -> FakeEngine:
    engine = FakeEngine(HostName("h1"))
    if has_tools:
        engine.add_image("underway-tools:1-0123456789ab", labels=LABELS)
    for name in (ledger_volume(APP), vault_volume(APP)):
        labels = own_labels(APP, Role.ANCHOR)
        volume = VolumeSpec(VolumeName(name), name, VolumeKind.PER_HOST, labels=labels)
        engine.create_volume(volume, {})
    return engine


def no_tools() -> ImageIdentity:
    raise EngineError("no-engine", "nobody can build one")


def status(engine: FakeEngine) -> ContainerStatus | None:
    state = engine.container(anchor_name(APP))
    return state.status if state else None


def anchor(engine: FakeEngine) -> ContainerRequest:
    image = engine.images()[0]
    return anchor_request(APP, ImageIdentity("tools:1", image.id), ())


def test_a_missing_anchor_is_made_from_the_tools_image_on_the_host() -> None:
    engine = host_with_records()
    assert revive_anchor(engine, APP, no_tools)
    made = engine.made[anchor_name(APP)]
    assert made.state.status is ContainerStatus.RUNNING
    assert set(made.state.volumes) == {ledger_volume(APP), vault_volume(APP)}


def test_a_stopped_anchor_is_started() -> None:
    engine = host_with_records()
    engine.create(anchor(engine), {})
    engine.start(anchor_name(APP))
    engine.stop(anchor_name(APP), 1)
    assert revive_anchor(engine, APP, no_tools)
    assert status(engine) is ContainerStatus.RUNNING


def test_where_no_tools_image_is_left_one_is_brought() -> None:
    engine = host_with_records(has_tools=False)
    assert not revive_anchor(engine, APP, no_tools)

    def bring() -> ImageIdentity:
        return ImageIdentity("tools:2", engine.add_image("tools:2").id)

    assert revive_anchor(engine, APP, bring)


def test_an_anchor_that_a_run_makes_anew_is_left_to_it() -> None:
    engine = host_with_records()
    labels = own_labels(APP, Role.LOCK)
    lock = ContainerRequest(ContainerName("underway-lock-libra"), engine.images()[0].id, labels)
    engine.create(lock, {})
    engine.start(lock.name)
    theirs = anchor(engine)

    def make() -> None:
        engine.create(theirs, {})
        engine.start(theirs.name)

    timer = threading.Timer(0.3, make)
    timer.start()
    assert revive_anchor(engine, APP, no_tools)
    timer.join()
    assert engine.made[theirs.name].request == theirs
