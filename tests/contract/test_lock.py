"""The lock must end with its client, whatever ends the client, and never be held by two."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from lab.faults import Faults
from tests.contract.conftest import Site, clear
from tests.contract.patience import eventually
from underway.adapters.beat import HostLock
from underway.adapters.connector import DockerConnector
from underway.adapters.engine import DockerEngine
from underway.adapters.engine.connection import Call
from underway.adapters.lock import AttachedLock, AttachedLocks, lock_name
from underway.errors import EngineError, LockedError, LockLostError
from underway.model.names import LABEL_HOLDER, AppName, HostName, VolumeName
from underway.model.snapshot import Role
from underway.model.spec import VolumeSpec

APP = AppName("libra")

Hold = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def engine(site: Site, connector: DockerConnector) -> Iterator[DockerEngine]:
    opened = connector.connect(site.spec)
    clear(opened)
    yield opened
    clear(opened)


@pytest.fixture
def locks(site: Site, engine: DockerEngine) -> AttachedLocks:
    return AttachedLocks([engine], lambda _: site.image)


@pytest.fixture
def hold(site: Site) -> Iterator[Hold]:
    started: list[subprocess.Popen[str]] = []

    def start(url: str) -> "subprocess.Popen[str]":
        argv = [sys.executable, "-m", "tests.contract.lock_holder", url, site.image, APP]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_lock_is_held_until_it_is_released(locks: AttachedLocks, engine: DockerEngine) -> None:
    with locks.acquire(APP, "deploy", wait_s=0) as lock:
        lock.check()
        (holder,) = locks.holders(APP)
        assert holder.run == "deploy"
        assert "@" in holder.holder
        (container,) = engine.containers()
        assert container.role == Role.LOCK
        assert container.app == APP
    assert engine.containers() == ()
    assert locks.holders(APP) == ()


def test_the_holder_is_named_to_whom_is_refused(locks: AttachedLocks) -> None:
    with locks.acquire(APP, "deploy", wait_s=0):
        (holder,) = locks.holders(APP)
        with pytest.raises(LockedError) as caught:
            locks.acquire(APP, "rollback", wait_s=0)
        assert caught.value.code == "locked"
        assert holder.holder in caught.value.message
        assert holder.since in caught.value.message


def test_other_apps_are_not_locked(locks: AttachedLocks) -> None:
    with locks.acquire(APP, "deploy", wait_s=0), locks.acquire(AppName("b"), "deploy", wait_s=0):
        assert len(locks.holders(APP)) == 1


def test_of_many_contenders_one_holds_it_at_a_time(locks: AttachedLocks) -> None:
    inside: list[int] = []
    most: list[int] = []

    def contend() -> None:
        with locks.acquire(APP, "deploy", wait_s=60) as lock:
            inside.append(1)
            most.append(len(inside))
            lock.check()
            inside.pop()

    threads = [threading.Thread(target=contend) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 5


def test_a_claim_keeps_others_out_before_it_is_confirmed(locks: AttachedLocks) -> None:
    with locks.claim(APP, "deploy", wait_s=0) as lock:
        with pytest.raises(LockedError):
            locks.claim(APP, "rollback", wait_s=0)
        lock.confirm()
        lock.check()


def test_what_an_interrupted_claim_left_goes_with_its_session(
    locks: AttachedLocks, engine: DockerEngine
) -> None:
    locks.claim(APP, "deploy", wait_s=0)
    assert len(engine.containers()) == 1
    locks.close()
    assert engine.containers() == ()
    locks.acquire(APP, "repair", wait_s=0).release()


def test_who_waits_gets_it_when_it_is_free(locks: AttachedLocks) -> None:
    first = locks.acquire(APP, "deploy", wait_s=0)
    timer = threading.Timer(1, first.release)
    timer.start()
    with locks.acquire(APP, "rollback", wait_s=20) as second:
        second.check()
    timer.join()


@pytest.mark.parametrize("over", ["unix", "ssh"])
def test_a_killed_client_frees_it_within_five_seconds(
    locks: AttachedLocks, site: Site, hold: Hold, over: str
) -> None:
    process = hold(site.ssh_spec.url if over == "ssh" else site.spec.url)
    process.kill()
    process.wait()
    started = time.monotonic()
    locks.acquire(APP, "repair", wait_s=5).release()
    assert time.monotonic() - started < 5


def test_a_partition_frees_it_within_twenty_seconds_and_its_holder_knows(
    locks: AttachedLocks, site: Site, hold: Hold
) -> None:
    process = hold(site.ssh_spec.url)
    faults = Faults(site.laboratory)
    faults.cut("h1")
    started = time.monotonic()
    try:
        assert process.stdout
        assert process.stdout.readline() == "lost\n"
        knew_s = time.monotonic() - started
        with locks.acquire(APP, "repair", wait_s=20) as lock:
            taken_s = time.monotonic() - started
            lock.check()
    finally:
        faults.heal()
    assert knew_s < taken_s < 20


def test_a_frozen_engine_puts_the_lock_in_doubt(locks: AttachedLocks, site: Site) -> None:
    lock = locks.acquire(APP, "deploy", wait_s=0)
    faults = Faults(site.laboratory)
    faults.pause_engine("h1")
    try:
        eventually(lambda: _is_lost(lock), within_s=15)
    finally:
        faults.heal()
    lock.release()


def test_a_killed_engine_loses_the_lock_and_leaves_it_free(
    locks: AttachedLocks, site: Site
) -> None:
    lock = locks.acquire(APP, "deploy", wait_s=0)
    faults = Faults(site.laboratory)
    faults.kill_engine("h1")
    try:
        eventually(lambda: _is_lost(lock), within_s=12)
    finally:
        faults.heal()
    lock.release()
    locks.acquire(APP, "repair", wait_s=30).release()


def test_a_removed_lock_is_lost(locks: AttachedLocks, engine: DockerEngine) -> None:
    lock = locks.acquire(APP, "deploy", wait_s=0)
    engine.remove(lock_name(APP))
    eventually(lambda: _is_lost(lock))
    lock.release()


def test_a_client_whose_lock_is_gone_changes_nothing_more(
    locks: AttachedLocks, engine: DockerEngine
) -> None:
    with locks.acquire(APP, "deploy", wait_s=0) as lock:
        engine.create_volume(VolumeSpec(VolumeName("held"), "held"), {})
        engine.remove(lock_name(APP))
        eventually(lambda: _is_lost(lock))
        with pytest.raises(LockLostError):
            engine.create_volume(VolumeSpec(VolumeName("late"), "late"), {})
        assert "late" not in {volume.name for volume in engine.volumes()}
    engine.remove_volume("held")


def test_a_lock_that_never_started_is_dead_within_five_seconds(
    locks: AttachedLocks, engine: DockerEngine, site: Site
) -> None:
    body = {"Image": site.image, "Cmd": ["true"], "Labels": {LABEL_HOLDER: "ghost@nowhere"}}
    params = {"name": lock_name(APP)}
    engine.connection.post(Call("POST", "/containers/create", "leave a lock", params, body))
    with pytest.raises(LockedError, match="ghost@nowhere"):
        locks.acquire(APP, "deploy", wait_s=0)
    with locks.claim(APP, "deploy", wait_s=5) as lock:
        lock.confirm()
        lock.check()


def test_a_claim_that_was_taken_for_dead_changes_nothing(site: Site, engine: DockerEngine) -> None:
    class Slow(DockerEngine):
        def start(self, container: str) -> None:
            self.remove(container)
            super().start(container)

    slow = AttachedLocks([Slow(engine.connection)], lambda _: site.image)
    with pytest.raises(LockLostError, match="before it could start"):
        slow.acquire(APP, "deploy", wait_s=0)
    assert engine.containers() == ()


def test_a_failure_on_a_later_host_releases_the_earlier(site: Site, engine: DockerEngine) -> None:
    class Nowhere(DockerEngine):
        @property
        def host(self) -> HostName:
            return HostName("h2")

    broken = Nowhere(engine.connection)
    both = AttachedLocks([broken, engine], lambda h: site.image if h == "h1" else "nobody/none:1")
    with pytest.raises(EngineError):
        both.acquire(APP, "deploy", wait_s=0)
    assert engine.containers() == ()


def test_releasing_never_raises(site: Site, engine: DockerEngine) -> None:
    lock = HostLock(engine, lock_name(APP), site.image, {})
    lock.release()
    lock.release()
    assert lock.doubt()


def _is_lost(lock: AttachedLock) -> bool:
    try:
        lock.check()
    except LockLostError:
        return True
    return False
